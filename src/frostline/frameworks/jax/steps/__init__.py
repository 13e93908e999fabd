"""Calls of the script's functions as steps: which begin and end, what they are handed and hand back."""
