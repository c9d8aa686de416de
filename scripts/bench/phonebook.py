"""How long 500 entries take to edit, and how many times that the standard library's parser needs only to read them."""

from __future__ import annotations

import configparser
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from pkitools.aovpn.phonebook import MAIN_KEYS, Phonebook
from pkitools.aovpn.phonebook_entries import read_entries

ENTRIES = 500


def book() -> bytes:
    main = "".join(f"{key}=0\r\n" for key in MAIN_KEYS)
    lines = (
        "",
        "NETCOMPONENTS=",
        "ms_msclient=1",
        "",
        "MEDIA=rastapi",
        "Device=WAN",
        "",
        "DEVICE=vpn",
        "PhoneNumber=x",
    )
    groups = "\r\n".join(lines) + "\r\n\r\n"
    return "".join(f"[VPN Zoë {number}]\r\n{main}{groups}" for number in range(ENTRIES)).encode()


def edit(data: bytes) -> None:
    phonebook = Phonebook(data)
    phonebook.edit(range(ENTRIES), {"IpInterfaceMetric": "3", "Ipv6InterfaceMetric": "3"})
    assert phonebook.to_bytes().count(b"IpInterfaceMetric=3") == ENTRIES


def insert(data: bytes) -> None:
    phonebook = Phonebook(data)
    phonebook.edit(range(ENTRIES), {"IpInterfaceMetric": "3"})
    phonebook.to_bytes()


def parse(data: bytes) -> None:
    parser = configparser.RawConfigParser(strict=False)
    parser.read_string(data.decode())


def best(work: Callable[[bytes], object], data: bytes) -> float:
    times = []
    for _ in range(5):
        start = time.perf_counter()
        work(data)
        times.append(time.perf_counter() - start)
    return min(times) * 1000


def main() -> None:
    data = book()
    ours = best(edit, data)
    lacking = best(insert, data.replace(b"IpInterfaceMetric=0\r\n", b""))
    records = best(lambda content: list(read_entries(content)), data)
    theirs = best(parse, data)
    print(f"{ENTRIES} entries, {len(data) / 1e6:.1f} MB")
    print(f"two values edited in each: {ours:.0f} ms (the aim is 100)")
    print(f"one absent key inserted in each: {lacking:.0f} ms")
    print(f"read as records: {records:.0f} ms")
    print(f"configparser, reading only: {theirs:.0f} ms = {theirs / ours:.1f} x editing")


if __name__ == "__main__":
    main()
