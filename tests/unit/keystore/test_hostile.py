"""A bounded slice of ``scripts/fuzz/pem.py``."""

from __future__ import annotations

import random

from tests.unit.keystore.mutations import Victim, mutated


def test_broken_inputs_give_results_or_errors_of_ours() -> None:
    victim = Victim()
    outcomes = {victim.attack(random.Random(seed)) for seed in range(300)}
    assert {"converted", "Damaged"} <= outcomes


def test_the_seeds_themselves_convert() -> None:
    victim = Victim()
    converted = [seed for seed in victim.seeds if victim._convert(seed, _Always(0.9)) == "converted"]
    assert len(converted) == len(victim.seeds)
    assert mutated(victim.seeds[0], random.Random(1)) != victim.seeds[0]


class _Always(random.Random):
    def __init__(self, value: float) -> None:
        super().__init__(0)
        self._value = value

    def random(self) -> float:
        return self._value
