"""Speed and quality, run by hand: `python3 run.py bench NAME`; figures are kept in RESULTS.md."""
