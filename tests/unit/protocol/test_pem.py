"""PEM in every shape that people send it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pkitools.errors import FormatError
from pkitools.protocol import pem

DER = bytes(range(256)) * 2
OTHER = b"\x30\x03\x02\x01\x05"
PLAIN = pem.write_pem("CERTIFICATE", DER) + pem.write_pem("PRIVATE KEY", OTHER)
NOISE = (
    b"Bag Attributes\n    friendlyName: VPN Z\xfcrich\n    localKeyID: 01 00 00 00 \nKey Attributes: <No Attributes>\n"
)

FORMS = {
    "plain": PLAIN,
    "crlf": PLAIN.replace(b"\n", b"\r\n"),
    "cr only": PLAIN.replace(b"\n", b"\r"),
    "utf-8 bom": b"\xef\xbb\xbf" + PLAIN,
    "utf-16 le with bom": b"\xff\xfe" + PLAIN.decode().encode("utf-16-le"),
    "utf-16 be with bom": b"\xfe\xff" + PLAIN.decode().encode("utf-16-be"),
    "utf-16 le": PLAIN.decode().encode("utf-16-le"),
    "utf-16 crlf": PLAIN.decode().replace("\n", "\r\n").encode("utf-16"),
    "ascii, then utf-16 appended": pem.write_pem("CERTIFICATE", DER)
    + pem.write_pem("PRIVATE KEY", OTHER).decode().encode("utf-16"),
    "latin-1 noise": NOISE + PLAIN.replace(b"-----BEGIN PRIV", NOISE + b"-----BEGIN PRIV") + b"trailing \xff\n",
    "indented": b"".join(b"    " + line + b"\n" for line in PLAIN.splitlines()),
    "tabs and trailing blanks": b"".join(b"\t" + line + b" \t\n" for line in PLAIN.splitlines()),
    "escaped on one line": PLAIN.replace(b"\n", b"\\n"),
    "escaped crlf": PLAIN.replace(b"\n", b"\\r\\n"),
    "json with escaped slashes": b'{"cert": "' + PLAIN.replace(b"\n", b"\\n").replace(b"/", b"\\/") + b'"}',
    "json of System.Text.Json": PLAIN.replace(b"\n", b"\\n").replace(b"+", b"\\u002B").replace(b"=", b"\\u003d"),
    "line breaks turned to blanks": PLAIN.replace(b"\n", b" "),
    "end and begin on one line": PLAIN.replace(b"-----\n-----BEGIN", b"----------BEGIN"),
    "nul at the end": PLAIN + b"\0",
    "no line end at the end": PLAIN.rstrip(b"\n"),
    "blank lines inside": PLAIN.replace(b"\n", b"\n\n"),
    "one long base64 line": b"-----BEGIN CERTIFICATE-----\n"
    + b"".join(pem.write_pem("CERTIFICATE", DER).splitlines()[1:-1])
    + b"\n-----END CERTIFICATE-----\n"
    + pem.write_pem("PRIVATE KEY", OTHER),
}


@pytest.mark.parametrize("form", FORMS)
def test_reads_every_form(form: str) -> None:
    blocks = pem.read_pem(FORMS[form])
    assert [(block.label, block.der) for block in blocks] == [("CERTIFICATE", DER), ("PRIVATE KEY", OTHER)]
    assert pem.looks_like_pem(FORMS[form])


def test_preamble_and_line() -> None:
    first, second = pem.read_pem(NOISE + PLAIN)
    assert first.preamble.encode("latin-1") == NOISE
    assert first.line == 5
    assert second.preamble == "\n"
    assert second.line == 5 + len(pem.write_pem("CERTIFICATE", DER).splitlines())


HEADERS = (("Proc-Type", "4,ENCRYPTED"), ("DEK-Info", "AES-256-CBC,00112233445566778899AABBCCDDEEFF"))


@pytest.mark.parametrize(
    "change", [lambda d: d, lambda d: d.replace(b"\n", b"\\n"), lambda d: d.replace(b"\n", b" "), lambda d: b"  " + d]
)
def test_headers(change: object) -> None:
    data = change(pem.write_pem("RSA PRIVATE KEY", DER, HEADERS))  # type: ignore[operator]
    (block,) = pem.read_pem(data)
    assert block.headers == HEADERS
    assert block.header("dek-info") == HEADERS[1][1]
    assert block.header("Comment") is None
    assert block.der == DER


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (PLAIN[: len(PLAIN) // 2], "BEGIN CERTIFICATE in line 1 has no END"),
        (PLAIN.replace(b"-----END CERTIFICATE-----\n", b""), "BEGIN CERTIFICATE in line 1 has no END"),
        (PLAIN.replace(b"END PRIVATE", b"END RSA PRIVATE"), "is closed by END RSA PRIVATE KEY"),
        (PLAIN.replace(b"\nA", b"\n*A", 1), "CERTIFICATE in line 1 is damaged"),
        (PLAIN.replace(b"\nA", b"\n\xffA", 1), "CERTIFICATE in line 1 is damaged"),
        (pem.write_pem("CERTIFICATE", b"") * (pem.MAX_PEM_BLOCKS + 1), "more than"),
    ],
)
def test_damage_is_named(data: bytes, says: str) -> None:
    with pytest.raises(FormatError, match=says):
        pem.read_pem(data)


def test_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pem, "MAX_PEM_BYTES", 10)
    with pytest.raises(FormatError, match="larger than 10 bytes"):
        pem.read_pem(PLAIN)


def test_unknown_armour_is_left_out() -> None:
    armour = b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQENBF\n=abcd\n-----END PGP PUBLIC KEY BLOCK-----\n"
    assert [block.label for block in pem.read_pem(armour + PLAIN)] == ["CERTIFICATE", "PRIVATE KEY"]


def test_no_pem() -> None:
    assert pem.read_pem(b"") == ()
    assert pem.read_pem(DER) == ()
    assert not pem.looks_like_pem(DER)


def test_written_form_is_strict() -> None:
    text = pem.write_pem("CERTIFICATE", DER)
    lines = text.decode("ascii").splitlines()
    assert text.endswith(b"-----END CERTIFICATE-----\n")
    assert all(len(line) == 64 for line in lines[1:-2])
    assert len(lines[-2]) <= 64


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(["\n", "\r\n", "\r"]), st.sampled_from(["latin-1", "utf-16"]))
def test_any_content_round_trips(der: bytes, end: str, encoding: str) -> None:
    text = pem.write_pem("X509 CRL", der).decode().replace("\n", end)
    (block,) = pem.read_pem(text.encode(encoding))
    assert (block.label, block.der) == ("X509 CRL", der)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_mutations_give_only_our_errors(data: st.DataObject) -> None:
    mutated = bytearray(pem.write_pem("RSA PRIVATE KEY", DER, HEADERS) + PLAIN)
    for _ in range(data.draw(st.integers(1, 6))):
        position = data.draw(st.integers(0, len(mutated) - 1))
        mutated[position : position + data.draw(st.integers(0, 30))] = data.draw(st.binary(max_size=10))
    try:
        pem.read_pem(bytes(mutated))
    except FormatError as error:
        assert "\n" not in error.message
