import random

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from pkitools.errors import FormatError
from pkitools.protocol import crl as crl_module
from pkitools.protocol.crl import read_crl
from tests.unit.trust.pki import DAY, NOW, Maker, make_crl, make_scope, wrap


@pytest.fixture(scope="module")
def ca():
    return Maker().root("Prüf-CA")


def content(serial: int) -> bytes:
    return serial.to_bytes(serial.bit_length() // 8 + 1, "big")


def test_the_fields(ca):
    crl = read_crl(
        make_crl(ca, [1], number=258, base=7, freshest=["http://a.test/+"], scope=make_scope(["http://a.test/"]))
    )
    assert (crl.number, crl.base_number, crl.issuer_text) == (258, 7, "CN=Prüf-CA")
    assert (crl.this_update, crl.next_update) == (NOW - DAY, NOW + 6 * DAY)
    assert crl.freshest[0].names == ("http://a.test/+",)
    assert crl.scope is not None
    assert crl.scope.names == ("http://a.test/",)


def test_entries_are_found_as_cryptography_finds_them(ca):
    chance = random.Random(5)
    serials = [chance.getrandbits(chance.choice((7, 8, 63, 64, 127, 158))) + 1 for _ in range(300)]
    der = make_crl(ca, serials)
    crl, theirs = read_crl(der), x509.load_der_x509_crl(der)
    for serial in [*serials, *(serial + 1 for serial in serials), *(serial >> 8 for serial in serials if serial > 255)]:
        ours, other = crl.find(content(serial)), theirs.get_revoked_certificate_by_serial_number(serial)
        assert (ours is None) == (other is None), serial
        if ours is not None:
            assert (ours.revoked_at, ours.reason) == (other.revocation_date_utc, "KeyCompromise")


def test_octets_of_a_serial_inside_another_entry_are_no_hit(ca):
    inner = b"\x02\x03\x11\x22\x33"
    decoy = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3"), wrap(4, inner))
    crl = read_crl(make_crl(ca, [5, 6], entry_extra=[(decoy, False)]))
    assert inner in crl.signed.body
    assert crl.find(b"\x11\x22\x33") is None
    crl = read_crl(make_crl(ca, [5, 0x112233], entry_extra=[(decoy, False)]))
    assert crl.find(b"\x11\x22\x33") is not None


def test_serials_that_are_not_minimal_are_found_too(ca):
    assert read_crl(make_crl(ca, [5])).find(b"\0\0\x05") is not None
    assert read_crl(make_crl(ca, [0x80])).find(b"\0\0\x80") is not None
    assert read_crl(make_crl(ca, [5])).find(b"") is None


def test_critical_entry_extensions(ca):
    unknown = (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True)
    assert read_crl(make_crl(ca, [5], entry_extra=[unknown])).critical_in_entries() == "1.2.3.4"
    assert read_crl(make_crl(ca, [5])).critical_in_entries() is None
    date = (x509.InvalidityDate(NOW.replace(tzinfo=None)), True)
    assert read_crl(make_crl(ca, [5], entry_extra=[date])).critical_in_entries() is None


def test_a_large_list(ca):
    entries = b"".join(
        wrap(0x30, wrap(2, b"\x01" + number.to_bytes(15, "big")) + b"\x17\x0d260101000000Z") for number in range(50_000)
    )
    small = x509.load_der_x509_crl(make_crl(ca, [5]))
    entry = small.tbs_certlist_bytes
    start = entry.index(b"\x30", entry.index(b"\x17"))
    body = wrap(0x30, wrap(2, b"\x01") + _after_version(small) + wrap(0x30, entries))
    crl = read_crl(wrap(0x30, body + bytes.fromhex("300a06082a8648ce3d040302") + wrap(3, b"\0x")))
    assert start > 0
    assert crl.find(b"\x01" + (49_999).to_bytes(15, "big")) is not None
    assert crl.find(b"\x01" + (50_000).to_bytes(15, "big")) is None


def _after_version(crl: x509.CertificateRevocationList) -> bytes:
    """Algorithm, issuer and the two times."""
    algorithm = bytes.fromhex("300a06082a8648ce3d040302")
    return algorithm + crl.issuer.public_bytes() + b"\x17\x0d260101000000Z\x17\x0d270101000000Z"


def test_pem(ca):
    der = make_crl(ca, [5])
    pem = x509.load_der_x509_crl(der).public_bytes(Encoding.PEM)
    assert read_crl(pem).find(b"\x05") is not None
    with pytest.raises(FormatError):
        read_crl(pem + pem)


def test_truncated_lists(ca):
    der = make_crl(ca, [5, 6])
    for length in range(len(der)):
        with pytest.raises(FormatError):
            read_crl(der[:length])


def test_numbers_of_any_length_are_refused(ca):
    huge = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.20"), wrap(2, b"\x7f" * 9000))
    with pytest.raises(FormatError, match="20 octets"):
        read_crl(make_crl(ca, number=None, extra=[(huge, False)]))


def list_of(entries: bytes) -> bytes:
    """A CRL with these encoded entries and a signature of nobody."""
    algorithm = bytes.fromhex("300a06082a8648ce3d040302")
    dates = b"\x17\x0d260101000000Z\x17\x0d270101000000Z"
    body = wrap(0x30, wrap(2, b"\x01") + algorithm + wrap(0x30, b"") + dates + wrap(0x30, entries))
    return wrap(0x30, body + algorithm + wrap(3, b"\0\0"))


@pytest.mark.parametrize("entry", [b"\x30\x00", b"\x30\x80", wrap(0x30, wrap(2, b"\x01") + b"\x17\x00")])
def test_entries_too_short_to_be_any_are_not_walked_over(entry):
    crl = read_crl(list_of(entry * 50 + wrap(0x30, b"\x02\x01\x05\x17\x0d260101000000Z")))
    with pytest.raises(FormatError, match="too short"):
        crl.find(b"\x05")


def test_a_list_without_end_is_walked_for_a_second_at_most(monkeypatch):
    monkeypatch.setattr(crl_module, "MAX_WALKED", 100)
    other, wanted = (wrap(0x30, b"\x02\x01" + serial + b"\x17\x0d260101000000Z") for serial in (b"\x07", b"\x05"))
    assert read_crl(list_of(other * 99 + wanted)).find(b"\x05") is not None
    assert read_crl(list_of(other * 100)).find(b"\x05") is None
    with pytest.raises(FormatError, match="more than 100 entries"):
        read_crl(list_of(other * 101 + wanted)).find(b"\x05")
