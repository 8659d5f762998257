"""From a contract to the files that the real systems read."""
