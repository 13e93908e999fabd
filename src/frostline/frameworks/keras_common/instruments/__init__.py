"""What a Keras tells of one thing each: loads, saves, traced steps, flags."""
