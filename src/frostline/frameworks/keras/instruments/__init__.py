"""What hooks Keras 3 alone: how its optimizers are called, what its variables give, loops on its backends."""
