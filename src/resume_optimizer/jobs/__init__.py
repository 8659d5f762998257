"""Jobs: taken from the queue, worked on, recovered when a worker is lost."""
