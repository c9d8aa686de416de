"""A bounded slice of scripts/fuzz/trust.py: broken certificates, lists and answers give judgements or our errors."""

import random

import pytest

from tests.unit.trust.mutations import Victim


@pytest.fixture(scope="module")
def victim() -> Victim:
    return Victim()


@pytest.mark.parametrize("seed", range(8))
def test_broken_input(victim, seed):
    chance = random.Random(seed)
    for _ in range(60):
        victim.attack(chance)


@pytest.mark.parametrize("seed", range(4))
def test_a_changed_certificate_is_never_valid(victim, seed):
    chance = random.Random(seed)
    for _ in range(100):
        victim.forge(chance)
