import pytest
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from pkitools.errors import FormatError
from pkitools.protocol.pkcs7 import read_certificates
from tests.unit.trust.pki import Maker


@pytest.fixture(scope="module")
def two():
    maker = Maker()
    root = maker.root()
    return root, maker.ca("Prüf-CA", root)


def test_every_form(two):
    both = [item.certificate for item in two]
    ders = {item.der for item in two}
    pem = b"".join(item.public_bytes(Encoding.PEM) for item in both)
    for data in (
        pkcs7.serialize_certificates(both, Encoding.DER),
        pkcs7.serialize_certificates(both, Encoding.PEM),
        pem,
    ):
        assert set(read_certificates(data)) == ders
    assert read_certificates(two[0].der) == (two[0].der,)


def test_a_certificate_that_stands_there_twice_counts_once(two):
    pem = two[0].certificate.public_bytes(Encoding.PEM)
    assert read_certificates(pem + pem) == (two[0].der,)


@pytest.mark.parametrize(
    "data", [b"", b"junk", b"\x30\x00", b"\x30\x03\x06\x01\x2a", b"<html>", b"-----BEGIN CRL-----"]
)
def test_what_holds_no_certificate(data):
    with pytest.raises(FormatError):
        read_certificates(data)


def test_truncated_messages(two):
    message = pkcs7.serialize_certificates([item.certificate for item in two], Encoding.DER)
    for length in range(0, len(message), 7):
        with pytest.raises(FormatError):
            read_certificates(message[:length])
