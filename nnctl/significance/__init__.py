"""Whether one run is better than another, or luck: on the same rows, and over repeated runs."""
