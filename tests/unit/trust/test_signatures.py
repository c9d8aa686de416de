import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pkitools.protocol.signed import SignatureAlgorithm, Signed
from pkitools.trust.signatures import Proof, load_key, proof_of
from tests.unit.trust.pki import rsa_key, wrap

BODY = b"Bytes, die unterschrieben sind"
RSA, EC = rsa_key(2048), ec.generate_private_key(ec.SECP384R1())
DSA, ED, ED4 = dsa.generate_private_key(1024), ed25519.Ed25519PrivateKey.generate(), ed448.Ed448PrivateKey.generate()


def spki(key) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


PSS = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
CASES = {
    "rsa": (RSA, SignatureAlgorithm("", "sha256RSA", "sha256"), RSA.sign(BODY, padding.PKCS1v15(), hashes.SHA256())),
    "rsa sha1": (RSA, SignatureAlgorithm("", "sha1RSA", "sha1"), RSA.sign(BODY, padding.PKCS1v15(), hashes.SHA1())),
    "rsa md5": (RSA, SignatureAlgorithm("", "md5RSA", "md5"), RSA.sign(BODY, padding.PKCS1v15(), hashes.MD5())),
    "pss": (RSA, SignatureAlgorithm("", "RSASSA-PSS", "sha256", 32), RSA.sign(BODY, PSS, hashes.SHA256())),
    "ec": (EC, SignatureAlgorithm("", "sha384ECDSA", "sha384"), EC.sign(BODY, ec.ECDSA(hashes.SHA384()))),
    "dsa": (DSA, SignatureAlgorithm("", "sha256DSA", "sha256"), DSA.sign(BODY, hashes.SHA256())),
    "ed25519": (ED, SignatureAlgorithm("", "Ed25519", ""), ED.sign(BODY)),
    "ed448": (ED4, SignatureAlgorithm("", "Ed448", ""), ED4.sign(BODY)),
}


@pytest.mark.parametrize("kind", CASES)
def test_good_bad_and_mismatched(kind):
    key, algorithm, signature = CASES[kind]
    assert proof_of(Signed(BODY, algorithm, signature), spki(key)) is Proof.GOOD
    assert proof_of(Signed(BODY + b"!", algorithm, signature), spki(key)) is Proof.BAD
    other = RSA if key is not RSA else EC
    assert proof_of(Signed(BODY, algorithm, signature), spki(other)) is Proof.UNSUPPORTED
    assert proof_of(Signed(BODY, SignatureAlgorithm("1.2.3", "", ""), signature), spki(key)) is Proof.UNSUPPORTED
    assert proof_of(Signed(BODY, algorithm, b""), spki(key)) is not Proof.GOOD


def test_an_ecdsa_signature_does_not_pass_as_dsa():
    _, algorithm, signature = CASES["ec"]
    assert proof_of(Signed(BODY, algorithm, signature), spki(DSA)) is Proof.UNSUPPORTED


@pytest.mark.parametrize("junk", [b"", b"junk", b"\x30\x00", spki(EC)[:-5]])
def test_keys_that_are_none(junk):
    assert load_key(junk) is None
    assert proof_of(Signed(BODY, CASES["ec"][1], b"x"), junk) is Proof.UNSUPPORTED


def test_an_enormous_modulus_is_not_computed_with():
    number = wrap(2, b"\x01" + b"\xff" * 4095)
    body = wrap(0x30, number + wrap(2, b"\x01\x00\x01"))
    key = wrap(0x30, bytes.fromhex("300d06092a864886f70d0101010500") + wrap(3, b"\0" + body))
    assert load_key(key) is None
    assert isinstance(load_key(spki(RSA)), rsa.RSAPublicKey)
