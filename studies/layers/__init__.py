"""Which layers and modules keep their bits when they are frozen, for every class that owns something that can move."""
