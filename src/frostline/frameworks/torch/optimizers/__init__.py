"""Which optimizers there are, what they hold and what a step of theirs can do."""
