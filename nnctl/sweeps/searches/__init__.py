"""The searches: which setting is tried when. One method a file."""
