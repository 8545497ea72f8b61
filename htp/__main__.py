"""Run the command line as `python -m htp`."""

from htp.cli import main

main()
