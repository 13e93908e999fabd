"""TensorFlow checkpoints, and the SavedModels around them."""
