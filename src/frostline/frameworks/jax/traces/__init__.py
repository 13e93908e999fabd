"""What the trace of a compiled function shows: which value comes from which, and which must be zero."""
