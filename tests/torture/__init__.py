"""The fault plan: what a run must survive, each kind of fault in a module of its own.

``python -m tests.torture`` injects the full counts and prints a table of faults and outcomes; ``make test`` injects a
few of each. ``NNCTL_FAULT_SEED`` replays the random ones.
"""
