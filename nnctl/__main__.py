"""``python -m nnctl``."""

from __future__ import annotations

import sys

from nnctl.cli import main

if __name__ == "__main__":
    sys.exit(main())
