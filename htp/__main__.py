"""Run the command line as `python -m htp`."""

from htp.cli.main import main

main()
