"""`python -m cli`: what run.py and the installed command start."""

from cli import main

main()
