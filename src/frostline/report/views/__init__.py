"""From a record to a view: what a report says, in short or in full, for every format alike."""
