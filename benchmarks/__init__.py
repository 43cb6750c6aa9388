"""nnctl beside what a user would pick instead: `make bench` runs all of it and writes RESULTS.md."""
