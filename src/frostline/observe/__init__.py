"""The observer: when bits are read, what moved in between, and the evidence kept around a move."""
