"""Files that hold checkpoints or point to them: indexes, compressed files, archives."""
