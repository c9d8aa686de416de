"""Comment lines: whatever a name holds, it is one ASCII line and comes back."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from pkitools.keystore import comments
from pkitools.models.keystore import Attribute, CertificateEntry, KeyEntry, KeySpec
from pkitools.protocol import der, private_key
from pkitools.protocol.pem import read_pem, write_pem
from pkitools.protocol.private_key import KeyForm

RSA = rsa.generate_private_key(65537, 1024).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
EC = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
KEY_USAGE = bytes.fromhex("a00d300b0603551d0f310403020090")
NASTY = [
    "",
    " ",
    "%",
    "VPN Zürich 🔑",
    "name\0",
    "a\n-----BEGIN CERTIFICATE-----\nb",
    "-----BEGIN PRIVATE KEY-----",
    "------",
    "back\\nslash",
    "# pkitools provider: evil",
    "\ud800",
    "\u2028\u0085\x1b[31m",
]


@pytest.mark.parametrize("name", NASTY)
def test_no_name_leaves_its_line(name: str) -> None:
    line = comments.comment_lines(CertificateEntry(b"x", friendly_name=name))
    assert line.count(b"\n") == 1 and line.isascii() and b"--" not in line and b"\\" not in line
    assert b"\r" not in line and b"\0" not in line
    blocks = read_pem(line + write_pem("CERTIFICATE", b"x") + line + write_pem("CERTIFICATE", b"y"))
    assert [block.der for block in blocks] == [b"x", b"y"]
    for block in blocks:
        found = comments.apply_to_certificate(CertificateEntry(block.der), comments.read_comments(block.preamble))
        assert found.friendly_name == name


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters()), st.sampled_from(["\n", "\r\n", "\\n", "\r"]))
def test_any_name_survives_any_line_end(name: str, end: str) -> None:
    text = comments.comment_lines(CertificateEntry(b"x", friendly_name=name)) + write_pem("CERTIFICATE", b"x")
    (block,) = read_pem(text.decode().replace("\n", end).encode())
    assert comments.read_comments(block.preamble) == (("friendly-name", comments.escape(name)),)
    assert comments.unescape(comments.escape(name)) == name


@pytest.mark.parametrize(("pkcs8", "form"), [(RSA, KeyForm.PKCS8), (RSA, KeyForm.PKCS1), (EC, KeyForm.SEC1)])
def test_key_round_trip(pkcs8: bytes, form: KeyForm) -> None:
    oid, algorithm, key = private_key.split_key(pkcs8)
    if form is KeyForm.PKCS1:
        algorithm = der.sequence(der.oid(private_key.RSA_PSS))
    raw = der.sequence(der.integer(0), algorithm, der.octet_string(key), KEY_USAGE)
    entry = KeyEntry(
        raw,
        friendly_name="te-{GUID} ü",
        local_key_id=b"\1\0\0\0",
        provider="Microsoft RSA SChannel Cryptographic Provider",
        machine=True,
        key_spec=KeySpec.SIGNATURE,
        attributes=(Attribute("1.2.3", ()), Attribute("1.3.6.1.4.1.311.17.3.71", (b"\x04\x01\x41", b"\x05\x00"))),
    )
    text = comments.comment_lines(entry, form) + private_key.key_to_pem(raw, form)
    (block,) = read_pem(text)
    found = KeyEntry(private_key.key_from_pem(block, ()))
    assert comments.apply_to_key(found, comments.read_comments(block.preamble)) == entry


def test_nothing_to_say() -> None:
    assert comments.comment_lines(KeyEntry(RSA), KeyForm.PKCS1) == b""
    assert comments.read_comments("Bag Attributes\n    friendlyName: x\n") == ()


@pytest.mark.parametrize(
    "line",
    [
        "friendly-name: %ff",
        "local-key-id: zz",
        "key-spec: AT_NOTHING",
        "attribute: 1 zz",
        "algorithm: 1 30",
        "attribute: x",
    ],
)
def test_damaged_lines_are_values_errors_or_ours(line: str) -> None:
    from pkitools.errors import FormatError

    found = comments.read_comments(f"# pkitools {line}\n")
    assert found
    with pytest.raises((ValueError, FormatError)):
        comments.apply_to_key(KeyEntry(RSA), found)
