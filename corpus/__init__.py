"""Small real programs: every known way that freezing goes wrong, its fixed twin, and healthy runs that look wrong."""
