"""What columns of a row are made of, where that is more than an answer."""
