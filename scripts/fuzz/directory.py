"""Throws broken directory objects at get-template and get-ca: python scripts/fuzz/directory.py [SECONDS [SEED]]

Anything but a record or an error of pkitools ends it with the seed that shows the case again.
"""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.unit.adcs.hostile import attack


def main() -> None:
    """Runs for so many seconds (60)."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else int(time.time())
    end, rounds = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        try:
            attack(random.Random(seed + rounds))
        except BaseException:
            print(f"seed {seed + rounds}", file=sys.stderr)
            raise
        rounds += 1
    print(f"{rounds} rounds from seed {seed}: no case")


if __name__ == "__main__":
    main()
