"""What steps: train steps, functions and optimizers, and what they update."""
