"""Single tensors: their bytes, digests, gradients and values."""
