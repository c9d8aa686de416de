"""``python -m pkitools`` and the console script."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and leave with its exit code."""
    from pkitools.cli.main import run

    sys.exit(run())


if __name__ == "__main__":
    main()
