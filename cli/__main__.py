"""`python -m cli`: what run.py and the installed command start."""

import gc

from cli import main

# Whole pages of messages and rows live until their commit: searching them for circles after each seven hundred new
# objects takes a fourth of the time of taking messages in, and finds none.
gc.set_threshold(20_000, 10, 10)
main()
