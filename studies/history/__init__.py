"""What summary() said and what was trained, from Keras 1.0.8 to 3.15.1."""
