"""One observed run: the script and its processes, from their start to the record."""
