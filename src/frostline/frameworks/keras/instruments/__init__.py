"""Where a step begins and ends that Keras does not run itself."""
