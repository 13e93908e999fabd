"""Locks: one digest for each tensor, and the proof that a checkpoint still holds them."""
