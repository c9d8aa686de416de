"""Attributes byte for byte, as OpenSSL writes them and as Windows does."""

from __future__ import annotations

import pytest

from pkitools.models.keystore import Attribute, CertificateEntry, KeyEntry, KeySpec
from pkitools.protocol import der
from pkitools.protocol.pkcs12.attributes import (
    bag_attributes,
    certificate_entry,
    display_name,
    key_entry,
    key_spec_of,
    read_attributes,
    with_key_spec,
    write_attributes,
)

KEY = der.sequence(der.integer(0), der.sequence(der.oid("1.2.840.113549.1.1.1")), der.octet_string(b"key"))


def encoded(entry):
    return write_attributes(bag_attributes(entry)).hex()


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (CertificateEntry(b"", friendly_name="vpn"), "301506092a864886f70d01091431081e0600760070006e"),
        (CertificateEntry(b"", local_key_id=bytes(20)), "302306092a864886f70d01091531160414" + "00" * 20),
        (KeyEntry(b"", provider="K"), "301106092b060104018237110131041e02004b"),
        (KeyEntry(b"", machine=True), "300d06092b06010401823711023100"),
        (CertificateEntry(b""), ""),
    ],
)
def test_bytes_of_openssl(entry, expected):
    assert encoded(entry) == expected


def test_attributes_are_sorted_by_encoding():
    entry = KeyEntry(b"", friendly_name="vpn", local_key_id=bytes(20), provider="A long name of a CSP", machine=True)
    oids = [a.oid for a in read_attributes(der.Reader(bytes.fromhex(encoded(entry))))]
    names = ("311.17.2", "9.20", "9.21", "311.17.1")
    assert [next(name for name in names if oid.endswith(name)) for oid in oids] == list(names)


@pytest.mark.parametrize(
    ("key_spec", "tail"),
    [
        (KeySpec.EXCHANGE, "a00d300b0603551d0f310403020410"),
        (KeySpec.SIGNATURE, "a00d300b0603551d0f310403020780"),
    ],
)
def test_key_spec_stands_in_the_pkcs8_as_openssl_writes_it(key_spec, tail):
    changed = with_key_spec(KEY, key_spec)
    assert changed.hex().endswith(tail)
    assert key_spec_of(changed) is key_spec
    assert with_key_spec(changed, KeySpec.NONE) == KEY
    assert with_key_spec(changed, key_spec) is changed


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ("03020010", KeySpec.EXCHANGE),
        ("03020080", KeySpec.SIGNATURE),
        ("03020090", KeySpec.EXCHANGE),
        ("03020001", KeySpec.NONE),
    ],
)
def test_windows_counts_no_unused_bits_and_is_kept_as_found(usage, expected):
    attribute = der.sequence(der.oid("2.5.29.15"), der.element(der.SET, bytes.fromhex(usage)))
    found = der.sequence(der.Reader(KEY).sequence("x").data[2:], der.element(0xA0, attribute))
    assert key_spec_of(found) is expected
    assert with_key_spec(found, expected) == found


def test_key_spec_of_garbage_is_none():
    assert key_spec_of(b"garbage") is KeySpec.NONE


def test_a_trailing_nul_is_kept_and_not_shown():
    raw = Attribute("1.2.840.113549.1.9.20", (bytes.fromhex("1e0400780000"),))
    entry = certificate_entry(b"", (raw,))
    assert entry.friendly_name == "x\0"
    assert display_name(entry.friendly_name) == "x"
    assert display_name("\0") is None
    assert bag_attributes(entry) == (raw,)


def test_what_is_malformed_or_doubled_stays_raw():
    name = Attribute("1.2.840.113549.1.9.20", (bytes.fromhex("1e020078"),))
    odd = Attribute("1.2.840.113549.1.9.20", (b"\x1e\3abc",))
    two = Attribute("1.2.840.113549.1.9.21", (b"\4\1a", b"\4\1b"))
    entry = key_entry(KEY, (name, odd, name, two))
    assert entry.friendly_name == "x"
    assert entry.local_key_id is None
    assert entry.attributes == (odd, name, two)
    assert set(bag_attributes(entry)) == {name, odd, two}


def test_the_key_is_not_in_the_repr():
    assert "0123456789" not in repr(KeyEntry(b"0123456789"))
