"""A slice of scripts/fuzz/ike.py."""

from __future__ import annotations

import importlib.util
from pathlib import Path

SCRIPT = Path(__file__).parents[4] / "scripts" / "fuzz" / "ike.py"


def test_mutated_answers_end_in_our_errors():
    spec = importlib.util.spec_from_file_location("fuzz_ike", SCRIPT)
    fuzz = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fuzz)
    refused = fuzz.run(8000, 20)
    assert 2000 < refused < 8000
