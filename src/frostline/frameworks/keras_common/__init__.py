"""What both generations of Keras have in common: models made of layers, steps that are traced, flags on layers."""
