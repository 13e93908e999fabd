"""The files of a run: where they go, the folder of a run of many processes, and reading what is stored."""
