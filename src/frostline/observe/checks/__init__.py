"""When bits are read: around steps, at the end, and row by row where only rows are to stay."""
