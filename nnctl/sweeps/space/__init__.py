"""The space of a sweep: what is tried for each key, as it was written on the command line or in the file."""
