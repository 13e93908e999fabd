"""What hooks Keras 2 alone: the flags that compile() keeps, and how its optimizers are called."""
