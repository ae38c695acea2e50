"""`python -m jobs` is `claimwatch`."""

from jobs.cli import main

main()
