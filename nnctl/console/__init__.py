"""Everything that nnctl prints: results on stdout, progress and problems on stderr. The only user of rich.

Nothing is imported here, so that a command that prints plain text does not pay for rich.
"""
