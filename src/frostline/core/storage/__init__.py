"""Documents on disk: whole records, the file of one run, and baselines."""
