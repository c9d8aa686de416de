"""Throws broken PEM, DER, P7B and PFX inputs at the converter: python scripts/fuzz/pem.py [COUNT [SEED]]

Anything but a conversion or an error of pkitools, more than two seconds of CPU, or memory out of proportion ends it
with the seed that shows the case again.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.unit.keystore.mutations import Victim


def main() -> None:
    """Runs so many cases (100,000)."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else int(time.time())
    victim, outcomes, start = Victim(), Counter(), time.monotonic()
    for number in range(count):
        try:
            outcomes[victim.attack(random.Random(seed + number))] += 1
        except BaseException:
            print(f"seed {seed + number}", file=sys.stderr)
            raise
    print(f"{count} cases from seed {seed} in {time.monotonic() - start:.0f} s: {dict(outcomes.most_common())}")


if __name__ == "__main__":
    main()
