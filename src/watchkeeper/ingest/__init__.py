"""What comes in: scraped and received, validated, limited, written."""
