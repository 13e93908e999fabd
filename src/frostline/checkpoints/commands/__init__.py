"""The commands on checkpoint files: show, diff, lock, verify."""
