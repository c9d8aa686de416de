"""Throws broken certificates, CRLs and OCSP answers at the judge: python scripts/fuzz/trust.py [SECONDS [SEED]]

Anything but a judgement or an error of pkitools ends it with the seed that shows the case again.
"""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.unit.trust.mutations import Victim


def main() -> None:
    """Runs for so many seconds (60)."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else int(time.time())
    victim, end, rounds = Victim(), time.monotonic() + seconds, 0
    while time.monotonic() < end:
        chance = random.Random(seed + rounds)
        try:
            victim.attack(chance)
            victim.forge(chance)
        except BaseException:
            print(f"seed {seed + rounds}", file=sys.stderr)
            raise
        rounds += 1
    print(f"{rounds} rounds from seed {seed}: no case")


if __name__ == "__main__":
    main()
