"""Readers of checkpoint formats, one file or folder each; ``table`` lists them."""
