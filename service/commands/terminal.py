"""The terminal that commands print tables to."""

from __future__ import annotations

import sys

from rich.console import Console


def console() -> Console:
    """Standard output as it is now; without a terminal, wide enough for most statements to stay in one line."""
    return Console(width=None if sys.stdout.isatty() else 160)
