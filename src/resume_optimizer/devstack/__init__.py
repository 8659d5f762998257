"""The application with everything it needs, on one machine: what `make run` starts."""
