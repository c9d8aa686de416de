"""Damaged phonebooks, profiles, CLIXML, PowerShell outputs, configurations and logs.

Usage: scripts/fuzz/aovpn.py [COUNT] [SEED]. Only errors of pkitools may leave, and a phonebook comes back byte for
byte. A failure prints the number that brings it back.
"""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from pkitools.aovpn.error_message import find_error_messages
from pkitools.aovpn.phonebook import Phonebook
from pkitools.aovpn.phonebook_entries import read_entries
from pkitools.aovpn.policy_sources.reading import read_source
from pkitools.aovpn.profile_xml import read_profile
from pkitools.errors import PkiToolsError
from pkitools.protocol.clixml import read_clixml
from tests.unit.aovpn.test_error_message import EVENT
from tests.unit.aovpn.test_policy_sources import EVERYTHING
from tests.unit.protocol.test_clixml import POLICY

SEEDS = tuple(text.encode(codec) for text in (*EVERYTHING, POLICY, EVENT) for codec in ("utf-8", "utf-16"))
SPICE = (
    b"\0",
    b"\xff\xfe",
    b"[",
    b"]",
    b"=",
    b"&",
    b"<",
    b"<!DOCTYPE a [",
    b"{",
    b"}",
    b"\r\n",
    b"_xD800_",
    b"9" * 30,
    b"RefId",
)


def mutated(chance: random.Random) -> bytes:
    """One seed with a few places cut, doubled, overwritten or spiced."""
    data = bytearray(chance.choice(SEEDS))
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(data) + 1)
        to = min(len(data), at + chance.randint(0, 40))
        match chance.randrange(4):
            case 0:
                del data[at:to]
            case 1:
                data[at:at] = data[at:to] * chance.randint(1, 50)
            case 2:
                data[at:to] = chance.randbytes(to - at)
            case 3:
                data[at:at] = chance.choice(SPICE)
    return bytes(data)


def try_all(data: bytes) -> int:
    """Every reader on the data; the number of those that could read it."""
    read = 0
    for reader in (
        lambda: Phonebook(data).to_bytes() == data or sys.exit("a phonebook came back otherwise"),
        lambda: read_entries(data),
        lambda: read_profile(data),
        lambda: read_clixml(data),
        lambda: read_source("x", client=True, data=data),
        lambda: read_source("x", client=False, data=data),
        lambda: list(find_error_messages(data.decode("utf-8", "replace"))),
    ):
        try:
            reader()
            read += 1
        except PkiToolsError:
            continue
    return read


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    start, read, slowest = time.monotonic(), 0, 0.0
    for number in range(first, first + count):
        before = time.monotonic()
        try:
            read += try_all(mutated(random.Random(number)))
        except Exception:
            print(f"failed: scripts/fuzz/aovpn.py 1 {number}")
            raise
        slowest = max(slowest, time.monotonic() - before)
    seconds = time.monotonic() - start
    print(f"{count} documents in {seconds:.0f} s, {read} readings succeeded, the slowest took {slowest * 1000:.0f} ms")


if __name__ == "__main__":
    main()
