"""`python -m watchkeeper.cli` is the `watchkeeper` command."""

from watchkeeper.cli import main

main()
