"""Digests of a tensor's bytes and the description of a change; numpy and xxhash, no framework."""
