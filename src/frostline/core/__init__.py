"""Pure data: the ledger, patterns, aliases, the verdict and the record; no numpy, no framework."""
