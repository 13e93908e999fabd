"""The difference of two checkpoints."""
