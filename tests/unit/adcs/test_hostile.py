from __future__ import annotations

import random

import pytest

from tests.unit.adcs.hostile import attack


@pytest.mark.parametrize("seed", range(12))
def test_a_slice_of_the_fuzzer(seed: int) -> None:
    """Any value may be broken: records and errors of ours, and nothing on the terminal that moves the cursor."""
    attack(random.Random(seed))
