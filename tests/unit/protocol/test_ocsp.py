import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from pkitools.errors import FormatError
from pkitools.protocol.ocsp import build_request, certificate_id, read_answer
from pkitools.trust.members import member_of
from tests.unit.trust.pki import DAY, NOW, Maker, ec_key, make_ocsp


@pytest.fixture(scope="module")
def pair():
    maker = Maker()
    root = maker.root()
    return maker.leaf(root, serial=0x80AABB), root


@pytest.mark.parametrize("nonce", [None, b"n" * 32])
def test_the_request_is_what_cryptography_reads(pair, nonce):
    leaf, root = pair
    issuer = member_of(root.der)
    wanted = certificate_id(issuer.subject, issuer.spki, bytes.fromhex("0080AABB"))
    data = build_request(wanted, nonce)
    theirs = ocsp.load_der_ocsp_request(data)
    assert (theirs.issuer_name_hash, theirs.issuer_key_hash) == (wanted.name_hash, wanted.key_hash)
    assert theirs.serial_number == 0x80AABB
    if nonce is None:
        built = ocsp.OCSPRequestBuilder().add_certificate(leaf.certificate, root.certificate, hashes.SHA1()).build()
        assert data == built.public_bytes(Encoding.DER)
    else:
        assert theirs.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == nonce


@pytest.mark.parametrize("status", ["good", "revoked", "unknown"])
@pytest.mark.parametrize("by_name", [True, False])
def test_answers_are_read(pair, status, by_name):
    leaf, root = pair
    answer = read_answer(make_ocsp(leaf, root, status, by_name=by_name, nonce=b"x" * 16, send=[root]))
    (single,) = answer.answers
    assert (single.status, single.this_update, single.next_update) == (status, NOW - DAY, NOW + DAY)
    assert (single.reason, single.revoked_at) == (
        ("Superseded", NOW - 2 * DAY) if status == "revoked" else (None, None)
    )
    assert (answer.responder_name is not None, answer.responder_key is not None) == (by_name, not by_name)
    assert (answer.nonce, answer.certificates) == (b"x" * 16, (root.der,))


def test_a_certificate_id_fits_one_certificate_only(pair):
    leaf, root = pair
    issuer, other = member_of(root.der), member_of(Maker().root("x", key=ec_key(99)).der)
    for algorithm in (hashes.SHA1(), hashes.SHA256(), hashes.SHA512()):
        identifier = read_answer(make_ocsp(leaf, root, algorithm=algorithm)).answers[0].certificate
        serial = bytes.fromhex("0080AABB")
        assert identifier.fits(issuer.subject, issuer.spki, serial)
        assert not identifier.fits(other.subject, issuer.spki, serial)
        assert not identifier.fits(issuer.subject, other.spki, serial)
        assert not identifier.fits(issuer.subject, issuer.spki, b"\x05")


def test_truncated_answers(pair):
    data = make_ocsp(*pair)
    for length in range(len(data)):
        with pytest.raises(FormatError):
            read_answer(data[:length])
