"""What can be said about a contract before a deploy."""
