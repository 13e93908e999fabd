"""Pickles taken apart as inert records by a machine that imports and calls nothing, and the tensors among them."""
