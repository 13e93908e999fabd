"""Which models there are, what their modules hold, and how that changes."""
