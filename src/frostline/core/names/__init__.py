"""Names of tensors: patterns that users write, and names of files that mean the same tensor."""
