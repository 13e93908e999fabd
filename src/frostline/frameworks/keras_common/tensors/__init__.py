"""Keras variables: their bytes, and whether they look randomly initialised."""
