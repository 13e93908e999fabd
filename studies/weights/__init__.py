"""Weights that published packages carry, read as their own libraries read them."""
