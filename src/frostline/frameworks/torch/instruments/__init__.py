"""One file hooks one thing; a folder for what they have in common."""
