"""Digests of a leaf's bytes and the description of a change; numpy and xxhash, no framework."""
