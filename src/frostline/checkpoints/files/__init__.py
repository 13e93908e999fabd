"""Files read by position, archives in them, and where the bytes of a tensor lie."""
