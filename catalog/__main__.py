"""`python -m catalog` is the command."""

from catalog.cli import main

main()
