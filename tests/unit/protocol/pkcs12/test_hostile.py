"""A bounded slice of scripts/fuzz/pfx.py, with files of our own writer as seeds."""

from __future__ import annotations

import time

from scripts.fuzz.pfx import MAX_SECONDS, attempt, cases
from tests.lab.crafted_pfx import crafted_files


def test_mutated_files_raise_only_our_errors_and_end_soon(tmp_path):
    seeds = [made.path.read_bytes() for made in crafted_files(tmp_path) if "00" not in made.name]
    base = [(data, "P") for data in seeds if len(data) < 6_000]
    outcomes = set()
    for data, password in cases(base, 400, 20):
        start = time.process_time()
        outcomes.add(attempt(data, password))
        assert time.process_time() - start < MAX_SECONDS, data.hex()
    assert {"opened", "Damaged", "WrongPassword"} <= outcomes
