"""A bounded slice of scripts/fuzz/pfx.py, with files of our own writer as seeds."""

from __future__ import annotations

import time

import pytest

from pkitools.errors import FormatError
from pkitools.models.keystore import CertificateEntry
from pkitools.models.secret import Secret
from pkitools.protocol.pkcs12 import read_pfx, write_pfx
from scripts.fuzz.pfx import MAX_SECONDS, attempt, cases
from tests.lab.crafted_pfx import content, crafted_files, entry, key


def test_mutated_files_raise_only_our_errors_and_end_soon(tmp_path):
    seeds = [made.path.read_bytes() for made in crafted_files(tmp_path) if "00" not in made.name]
    base = [(data, "P") for data in seeds if len(data) < 6_000]
    outcomes = set()
    for data, password in cases(base, 400, 20):
        start = time.process_time()
        outcomes.add(attempt(data, password))
        assert time.process_time() - start < MAX_SECONDS, data.hex()
    assert {"opened", "Damaged", "WrongPassword"} <= outcomes


def test_a_certificate_of_a_version_that_does_not_exist_is_damage_when_the_mac_fails():
    odd = entry("p256").der.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x22", 1)
    made = bytearray(write_pfx(content([key("p256")], [CertificateEntry(odd)]), Secret("x"), iterations=1))
    made[-30] ^= 1
    with pytest.raises(FormatError, match="certificate 1"):
        read_pfx(bytes(made), [Secret("x")])
