"""Mutated PFX files against the reader: nothing but our own errors, no hang, no memory beyond the file's size.

    .venv/bin/python -m scripts.fuzz.pfx [COUNT] [SEED]

Seeds are files of every maker that is installed (openssl, certtool, pk12util, keytool, cryptography, our own writer).
Mutations: flipped bits, changed lengths, cut-off ends, nesting, crossed key ids, huge counts, doubled and swapped
slices, also inside decrypted content, which is encrypted again so that the reader gets there.
"""

from __future__ import annotations

import random
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from pkitools.errors import PkiToolsError
from pkitools.keystore.pairing import link, match
from pkitools.keystore.show import ShowOptions, show_data
from pkitools.models.secret import Secret
from pkitools.protocol.pkcs12 import read_pfx

MAX_SECONDS = 2.0
MAX_ITERATIONS = 8_000
_HUGE = (
    b"\x02\x04\x7f\xff\xff\xff",
    b"\x02\x02\x1f\x00",
    b"\x02\x08" + b"\x7f" * 8,
    b"\x02\x01\x00",
    b"\x02\x01\xff",
)

Case = tuple[bytes, str]


def seeds(folder: Path) -> list[Case]:
    """Small files of every maker that is here, with their passwords."""
    import pytest

    from tests.lab.crafted_pfx import crafted_files
    from tests.lab.pfx_makers import MAKERS, Workshop

    found: list[Case] = []
    for maker in (*MAKERS.values(), lambda shop: crafted_files(shop.folder)):
        try:
            found += [(made.path.read_bytes(), made.password or "") for made in maker(Workshop(folder))]
        except pytest.skip.Exception as skipped:
            print(f"left out: {skipped}")
    return [(data, password) for data, password in found if len(data) < 12_000 and _quick(data, password)]


def _quick(data: bytes, password: str) -> bool:
    try:
        read_pfx(data, [Secret(password)], max_iterations=MAX_ITERATIONS)
    except PkiToolsError:
        return False
    return True


def mutated(data: bytes, chance: random.Random) -> bytes:
    """One file with one to four mutations."""
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        chance.choice(_MUTATIONS)(changed, chance)
    return bytes(changed)


def _flip(data: bytearray, chance: random.Random) -> None:
    if data:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _early_flip(data: bytearray, chance: random.Random) -> None:
    if data:
        data[chance.randrange(min(len(data), 120))] = chance.randrange(256)


def _length(data: bytearray, chance: random.Random) -> None:
    places = [i for i, octet in enumerate(data[:-1]) if octet in (0x30, 0x31, 0x04, 0xA0, 0x06, 0x02)]
    if places:
        data[chance.choice(places) + 1] = chance.choice((0, 1, 0x7F, 0x80, 0x81, 0x82, 0x84, 0xFF))


def _cut(data: bytearray, chance: random.Random) -> None:
    del data[chance.randrange(len(data) + 1) :]


def _cut_out(data: bytearray, chance: random.Random) -> None:
    start = chance.randrange(len(data) + 1)
    del data[start : start + chance.choice((1, 2, 16, 200))]


def _double(data: bytearray, chance: random.Random) -> None:
    start = chance.randrange(len(data) + 1)
    data[start:start] = data[start : start + chance.choice((2, 20, 300))] * chance.choice((1, 1, 30))


def _nest(data: bytearray, chance: random.Random) -> None:
    start = chance.randrange(len(data) + 1)
    data[start:start] = chance.choice((b"\x30\x80", b"\x24\x80", b"\xa0\x80", b"\x30\x82\xff\xff")) * chance.choice(
        (1, 70, 3000)
    )


def _count(data: bytearray, chance: random.Random) -> None:
    places = [i for i in range(len(data) - 3) if data[i] == 2 and data[i + 1] in (1, 2, 3)]
    if places:
        start = chance.choice(places)
        data[start : start + 2 + data[start + 1]] = chance.choice(_HUGE)


def _cross_ids(data: bytearray, chance: random.Random) -> None:
    mark = bytes.fromhex("06092a864886f70d010915")
    places = [i for i in range(len(data)) if data.startswith(mark, i)]
    for start in places:
        end = min(len(data), start + len(mark) + 8)
        if end > start + len(mark) + 4:
            data[end - 1] = chance.randrange(4)


def _algorithm(data: bytearray, chance: random.Random) -> None:
    places = [i for i in range(len(data) - 12) if data[i] == 6 and 5 <= data[i + 1] <= 11]
    if places:
        start = chance.choice(places)
        data[start + 1 + data[start + 1]] = chance.randrange(128)


_MUTATIONS: tuple[Callable[[bytearray, random.Random], None], ...] = (
    _flip, _early_flip, _length, _cut, _cut_out, _double, _nest, _count, _cross_ids, _algorithm,
)  # fmt: skip


def remade(data: bytes, password: str, chance: random.Random) -> bytes:
    """A file whose decrypted content is mutated and protected again: the reader's inner parts get hostile bytes."""
    from pkitools.protocol import der
    from tests.lab.crafted_pfx import plain_pfx

    found = read_pfx(data, [Secret(password)], max_iterations=MAX_ITERATIONS)
    bags = []
    for bag in found.bags:
        value = getattr(bag.entry, "pkcs8", None)
        if value is not None:
            inner = mutated(value, chance)
            bags.append(der.sequence(der.oid("1.2.840.113549.1.12.10.1.1"), der.element(0xA0, inner)))
        elif bag.entry is not None:
            inner = der.octet_string(mutated(bag.entry.der, chance))
            typed = der.sequence(der.oid("1.2.840.113549.1.9.22.1"), der.element(0xA0, inner))
            bags.append(der.sequence(der.oid("1.2.840.113549.1.12.10.1.3"), der.element(0xA0, typed)))
    return plain_pfx(*bags)


def cases(base: list[Case], count: int, seed: int) -> Iterator[Case]:
    """``count`` mutated files."""
    chance = random.Random(seed)
    for number in range(count):
        data, password = chance.choice(base)
        if number % 5 == 4:
            yield remade(data, password, chance), "P"
        else:
            yield mutated(data, chance), password


def attempt(data: bytes, password: str) -> str:
    """Everything that is done with a file of others. The error's id, or ``opened``; other exceptions leave it."""
    try:
        outcome = show_data("fuzz", data, [Secret(password)], ShowOptions(max_iterations=MAX_ITERATIONS))
        if outcome.reason is not None:
            return outcome.reason.id
        found = read_pfx(data, [Secret(password)], max_iterations=MAX_ITERATIONS)
        link(match(found.content.keys, found.content.certificates))
    except PkiToolsError as error:
        return error.error_id
    return "opened"


def main(count: int, seed: int) -> int:
    """Run, print what came out; 1 when something was wrong."""
    with tempfile.TemporaryDirectory() as folder:
        base = seeds(Path(folder))
    print(f"{len(base)} seeds, {count} files")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    outcomes: Counter[str] = Counter()
    slowest, bad = 0.0, 0
    for data, password in cases(base, count, seed):
        start = time.process_time()
        try:
            outcomes[attempt(data, password)] += 1
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            bad += 1
            print(f"FOREIGN {type(error).__name__}: {error}\n  {data[:4000].hex()}")
        took = time.process_time() - start
        slowest = max(slowest, took)
        if took > MAX_SECONDS:
            bad += 1
            print(f"SLOW {took:.1f} s: {data[:200].hex()}")
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(f"slowest {slowest:.2f} s, memory grew by {grown // 1024} MiB, {bad} bad")
    print(", ".join(f"{name} {number}" for name, number in outcomes.most_common()))
    return 1 if bad else 0


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    sys.exit(main(numbers[0] if numbers else 2_000, numbers[1] if len(numbers) > 1 else 1))
