"""Experiments with their results: each is run again by one command, and writes a page under docs/studies."""
