"""What hooks JAX and the libraries around it; one file hooks one thing."""
