"""Which optimizers move a tensor that was frozen, and when."""
