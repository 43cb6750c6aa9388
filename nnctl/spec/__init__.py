"""The experiment as it is written: YAML text, positions, overrides and the problems found in them."""
