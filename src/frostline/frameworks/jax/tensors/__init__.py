"""Arrays as tensors of the ledger: their paths in what the script hands over, and their bytes."""
