"""Sweeps: many trials of one config: what to try, which together, on which machines, and what came of it."""
