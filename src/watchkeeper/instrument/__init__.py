"""What runs inside the watched process."""
