"""A slice of scripts/fuzz/rpc.py: hostile CAs over loopback."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

pytestmark = pytest.mark.lab

SCRIPT = Path(__file__).parents[2] / "scripts" / "fuzz" / "rpc.py"


def test_mutated_answers_end_in_outcomes_and_our_errors():
    spec = importlib.util.spec_from_file_location("fuzz_rpc", SCRIPT)
    fuzz = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fuzz)
    ends = fuzz.run(2000, 20, conversations=0.04)
    assert sum(ends.values()) == 2000
    assert ends["refused by a decoder"] > 500
    assert ends["ProtocolError"] > 10
