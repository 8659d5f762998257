"""Entry point of `python -m resume_optimizer.devstack`."""

from resume_optimizer.devstack.launcher import main

main()
