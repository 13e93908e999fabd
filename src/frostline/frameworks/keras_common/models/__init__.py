"""Keras models as trees of layers, and the tensors that these hold."""
