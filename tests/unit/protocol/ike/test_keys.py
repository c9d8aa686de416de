"""Groups, key derivation, encryption and AUTH: published numbers, other implementations, and damaged bytes."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import given, settings
from hypothesis import strategies as st

from pkitools.errors import ProtocolError
from pkitools.protocol.ike import groups
from pkitools.protocol.ike.authentication import SignedOctets, verify
from pkitools.protocol.ike.encryption import Assembly, Protection, request_header
from pkitools.protocol.ike.groups import PUBLIC_VALUE_SIZES, any_public_value, new_key_pair
from pkitools.protocol.ike.keys import SaKeys, Suite, derive_keys, prf_plus
from pkitools.protocol.ike.message import Payload
from pkitools.protocol.ike.numbers import Dh
from pkitools.protocol.ike.payloads import Authentication, Identification

WINDOWS_GROUPS = (1, 2, 14, 19, 20, 24)
SUITES = {
    "des-md5": Suite(2, None, 1, 1, 1),
    "3des-sha1": Suite(3, None, 2, 2, 2),
    "aes128-sha256": Suite(12, 128, 5, 12, 14),
    "aes192-sha384": Suite(12, 192, 6, 13, 24),
    "aes256-sha384": Suite(12, 256, 6, 13, 20),
    "gcm128-sha256": Suite(20, 128, 5, None, 19),
    "gcm256-sha384": Suite(20, 256, 6, None, 20),
}
SPIS = (b"iiiiiiii", b"rrrrrrrr")
PAYLOADS = (Payload(35, b"\x02\0\0\0vpn"), Payload(41, b"\0\0\x40\x2e"))


def keys_for(suite: Suite) -> SaKeys:
    return derive_keys(suite, b"shared", (b"n" * 16, b"m" * 32), SPIS)


def pi_times_two_to(bits: int) -> int:
    """[2^bits pi], by Machin's formula."""

    def arctan(x: int, one: int) -> int:
        term = total = one // x
        divisor, sign = 3, -1
        while term:
            term //= x * x
            total += sign * (term // divisor)
            divisor, sign = divisor + 2, -sign
        return total

    one = 1 << (bits + 64)
    return 4 * (4 * arctan(5, one) - arctan(239, one)) >> 64


@pytest.mark.parametrize(
    ("prime", "bits", "k"),
    [(groups._MODP_768, 768, 149686), (groups._MODP_1024, 1024, 129093), (groups._MODP_2048, 2048, 124476)],
)
def test_primes_are_made_of_pi(prime, bits, k):
    """RFC 2412 E, RFC 3526."""
    assert prime == 2**bits - 2 ** (bits - 64) - 1 + 2**64 * (pi_times_two_to(bits - 130) + k)


def test_group_24_has_its_subgroup():
    """RFC 5114 2.3: the generator's order is the 256-bit q."""
    q = 0x8CF83642A709A097B447997640129DA299B1A47D1EB3750BA308B0FE64F5FBD3
    assert pow(groups._GENERATOR_2048_256, q, groups._MODP_2048_256) == 1
    assert (groups._MODP_2048_256 - 1) % q == 0


@pytest.mark.parametrize("group", WINDOWS_GROUPS)
def test_both_sides_get_the_same_secret(group):
    ours, theirs = new_key_pair(group), new_key_pair(group)
    assert len(ours.public) == PUBLIC_VALUE_SIZES[group]
    assert ours.shared_secret(theirs.public) == theirs.shared_secret(ours.public)
    assert ours.shared_secret(any_public_value(group))
    for bad in (b"", bytes(len(ours.public)), ours.public[:-1], b"\xff" * len(ours.public)):
        with pytest.raises(ProtocolError):
            ours.shared_secret(bad)


def test_ecp256_secret_is_x_of_rfc_5903():
    """RFC 5903 8.1."""
    private = ec.derive_private_key(0xC88F01F510D9AC3F70A292DAA2316DE544E9AAB8AFE84049C62A9C57862D1433, ec.SECP256R1())
    peer = bytes.fromhex(
        "D12DFB5289C8D4F81208B70270398C342296970A0BCCB74C736FC7554494BF63"
        "56FBF3CA366CC23E8157854C13C58D6AAC23F046ADA30F8353E74F33039872AB"
    )
    secret = groups.KeyPair(Dh.ECP_256, b"", private).shared_secret(peer)
    assert secret.hex().upper() == "D6840F6B42F6EDAFD13116E0E12565202FEF8E9ECE7DCE03812464D04B9442DE"


@pytest.mark.parametrize("group", sorted(PUBLIC_VALUE_SIZES))
def test_any_public_value_has_the_right_size(group):
    assert len(any_public_value(group)) == PUBLIC_VALUE_SIZES[group]


def test_prf_plus_is_the_chain_of_rfc_7296():
    key, seed = b"k" * 20, b"seed"
    first = hmac.digest(key, seed + b"\x01", "sha256")
    second = hmac.digest(key, first + seed + b"\x02", "sha256")
    assert prf_plus("sha256", key, seed, 40) == (first + second)[:40]


@pytest.mark.parametrize("suite", SUITES.values(), ids=SUITES)
def test_what_one_side_encrypts_the_other_reads(suite):
    keys = keys_for(suite)
    sealed = Protection(keys, True).encrypt(request_header(SPIS, 35, 1), PAYLOADS)
    assert Protection(keys, True).decrypt(sealed) == PAYLOADS
    with pytest.raises(ProtocolError):
        Protection(keys, False).decrypt(sealed)
    for position in range(0, len(sealed), 5):
        damaged = bytearray(sealed)
        damaged[position] ^= 1
        with pytest.raises(ProtocolError):
            Protection(keys, True).decrypt(bytes(damaged))
    for length in range(0, len(sealed), 7):
        with pytest.raises(ProtocolError):
            Protection(keys, True).decrypt(sealed[:length])
    assert Protection(keys, True).decrypt(Protection(keys, True).encrypt(request_header(SPIS, 35, 1), ())) == ()


@pytest.mark.parametrize("suite", SUITES.values(), ids=SUITES)
def test_fragments_in_any_order(suite):
    side = Protection(keys_for(suite), False)
    pieces = side.encrypt_fragments(request_header(SPIS, 35, 1), PAYLOADS, 5)
    assert len(pieces) > 3
    assembly = Assembly()
    results = [assembly.add(side.open_fragment(piece)) for piece in (*reversed(pieces), pieces[0])]
    assert results[len(pieces) - 1] == PAYLOADS
    assert results[: len(pieces) - 1] == [None] * (len(pieces) - 1)
    assert assembly.total == len(pieces)


def test_smaller_fragments_begin_anew():
    side = Protection(keys_for(SUITES["aes128-sha256"]), False)
    header = request_header(SPIS, 35, 1)
    few, many = (side.encrypt_fragments(header, PAYLOADS, size) for size in (11, 6))
    assembly = Assembly()
    assert assembly.add(side.open_fragment(few[0])) is None
    assert [assembly.add(side.open_fragment(piece)) for piece in many][-1] == PAYLOADS
    assert assembly.add(side.open_fragment(few[1])) is None


@pytest.mark.parametrize(("number", "total"), [(0, 1), (2, 1), (1, 0), (1, 65), (65535, 65535)])
def test_impossible_fragment_numbers(number, total):
    side = Protection(keys_for(SUITES["gcm128-sha256"]), False)
    piece = bytearray(side.encrypt_fragments(request_header(SPIS, 35, 1), PAYLOADS, 100)[0])
    piece[32:36] = number.to_bytes(2, "big") + total.to_bytes(2, "big")
    with pytest.raises(ProtocolError, match="cannot be"):
        side.open_fragment(bytes(piece))


@pytest.mark.parametrize(
    "suite",
    [Suite(12, None, 5, 12, 19), Suite(12, 64, 5, 12, 19), Suite(12, 128, 99, 12, 19), Suite(28, None, 5, None, 31)],
)
def test_unknown_algorithms_are_our_error(suite):
    with pytest.raises(ProtocolError, match="not implemented"):
        derive_keys(suite, b"s", (b"n" * 16, b"m" * 16), SPIS)


RSA_KEY = rsa.generate_private_key(65537, 2048)
P256 = ec.generate_private_key(ec.SECP256R1())
OCTETS = SignedOctets(b"message", b"nonce", "sha256", b"k" * 32).of(Identification(2, b"vpn.example.test"))
SHA256_RSA = bytes.fromhex("300d06092a864886f70d01010b0500")
PSS_SHA256 = bytes.fromhex(
    "304106092a864886f70d01010a3034a00f300d06096086480165030402010500"
    "a11c301a06092a864886f70d010108300d06096086480165030402010500a203020120"
)
ECDSA_SHA384 = bytes.fromhex("300a06082a8648ce3d040303")


def named(algorithm: bytes, signature: bytes) -> Authentication:
    return Authentication(14, bytes((len(algorithm),)) + algorithm + signature)


def raw_ecdsa() -> bytes:
    r, s = decode_dss_signature(P256.sign(OCTETS, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


SIGNATURES = {
    "method 1": (Authentication(1, RSA_KEY.sign(OCTETS, padding.PKCS1v15(), hashes.SHA1())), RSA_KEY, "SHA1"),
    "RFC 7427 RSA": (named(SHA256_RSA, RSA_KEY.sign(OCTETS, padding.PKCS1v15(), hashes.SHA256())), RSA_KEY, "SHA256"),
    "RFC 7427 PSS": (
        named(PSS_SHA256, RSA_KEY.sign(OCTETS, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())),
        RSA_KEY,
        "RSA-PSS with SHA256",
    ),
    "RFC 7427 ECDSA": (named(ECDSA_SHA384, P256.sign(OCTETS, ec.ECDSA(hashes.SHA384()))), P256, "ECDSA with SHA384"),
    "RFC 4754": (Authentication(9, raw_ecdsa()), P256, "ECDSA with SHA256"),
}


@pytest.mark.parametrize(("auth", "key", "name"), SIGNATURES.values(), ids=SIGNATURES)
def test_auth_signatures(auth, key, name):
    assert verify(auth, key.public_key(), OCTETS).endswith(name)
    with pytest.raises(ProtocolError, match="does not belong"):
        verify(auth, key.public_key(), OCTETS + b"!")
    other = P256 if key is RSA_KEY else RSA_KEY
    with pytest.raises(ProtocolError):
        verify(auth, other.public_key(), OCTETS)
    with pytest.raises(ProtocolError):
        verify(Authentication(auth.method, auth.data[:-1]), key.public_key(), OCTETS)


def test_signed_octets():
    """RFC 7296 2.15."""
    identity = Identification(2, b"vpn.example.test")
    mac = hmac.new(b"k" * 32, b"\x02\0\0\0vpn.example.test", hashlib.sha256).digest()
    assert OCTETS == b"message" + b"nonce" + mac
    assert identity.body == b"\x02\0\0\0vpn.example.test"


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 20), st.binary(max_size=300))
def test_any_auth_payload_is_our_error(method, data):
    for key in (RSA_KEY, P256):
        with pytest.raises(ProtocolError):
            verify(Authentication(method, data), key.public_key(), OCTETS)
