"""A bounded slice of scripts/fuzz/ldap.py: broken answers on a whole connection."""

from __future__ import annotations

import runpy
from pathlib import Path

FUZZ = runpy.run_path(str(Path(__file__).parents[3] / "scripts" / "fuzz" / "ldap.py"), run_name="fuzz")


def test_broken_answers_end_in_errors_of_ours():
    for seed in range(400):
        FUZZ["attack"](seed)
