"""Real faults, put in on purpose and timed."""
