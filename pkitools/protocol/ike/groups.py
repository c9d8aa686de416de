"""Diffie-Hellman groups of IKEv2 that Windows can name: MODP 1, 2, 14, 24 and ECP 256, 384.

Primes: RFC 7296 B.1 and B.2 (768, 1024 bits), RFC 3526 3 (2048), RFC 5114 2.3 (2048 with a 256-bit subgroup). Curves:
RFC 5903. The keys live for one exchange and protect nothing of ours, so plain modular powers serve for MODP: they need
no library and take the small groups that OpenSSL refuses.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pkitools.errors import ProtocolError
from pkitools.protocol.ike.numbers import Dh

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec

_EXPONENT_BITS = 256

# The first three are 2^n - 2^(n-64) - 1 + 2^64 * ([2^(n-130) pi] + k); a test computes them so.
_MODP_768 = int(
    "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404dd"
    "ef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a63a3620ffffffffffffffff",
    16,
)
_MODP_1024 = int(
    "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404dd"
    "ef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed"
    "ee386bfb5a899fa5ae9f24117c4b1fe649286651ece65381ffffffffffffffff",
    16,
)
_MODP_2048 = int(
    "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404dd"
    "ef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed"
    "ee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf0598da48361c55d39a69163fa8fd24cf5f"
    "83655d23dca3ad961c62f356208552bb9ed529077096966d670c354e4abc9804f1746c08ca18217c32905e462e36ce3b"
    "e39e772c180e86039b2783a2ec07a28fb5c55df06f4c52c9de2bcbf6955817183995497cea956ae515d2261898fa0510"
    "15728e5a8aacaa68ffffffffffffffff",
    16,
)
_MODP_2048_256 = int(
    "87a8e61db4b6663cffbbd19c651959998ceef608660dd0f25d2ceed4435e3b00e00df8f1d61957d4faf7df4561b2aa30"
    "16c3d91134096faa3bf4296d830e9a7c209e0c6497517abd5a8a9d306bcf67ed91f9e6725b4758c022e0b1ef4275bf7b"
    "6c5bfc11d45f9088b941f54eb1e59bb8bc39a0bf12307f5c4fdb70c581b23f76b63acae1caa6b7902d52526735488a0e"
    "f13c6d9a51bfa4ab3ad8347796524d8ef6a167b5a41825d967e144e5140564251ccacb83e6b486f6b3ca3f7971506026"
    "c0b857f689962856ded4010abd0be621c3a3960a54e710c375f26375d7014103a4b54330c198af126116d2276e11715f"
    "693877fad7ef09cadb094ae91e1a1597",
    16,
)
_GENERATOR_2048_256 = int(
    "3fb32c9b73134d0b2e77506660edbd484ca7b18f21ef205407f4793a1a0ba12510dbc15077be463fff4fed4aac0bb555"
    "be3a6c1b0c6b47b1bc3773bf7e8c6f62901228f8c28cbb18a55ae31341000a650196f931c77a57f2ddf463e5e9ec144b"
    "777de62aaab8a8628ac376d282d6ed3864e67982428ebc831d14348f6f2f9193b5045af2767164e1dfc967c1fb3f2e55"
    "a4bd1bffe83b9c80d052b985d182ea0adb2a3b7313d3fe14c8484b1e052588b9b7d2bbd2df016199ecd06e1557cd0915"
    "b3353bbb64e0ec377fd028370df92b52c7891428cdc67eb6184b523d1db246c32f63078490f00ef8d647d148d4795451"
    "5e2327cfef98c582664b4c0f6cc41659",
    16,
)

# Group: prime, generator.
_MODP: Final = {
    Dh.MODP_768: (_MODP_768, 2),
    Dh.MODP_1024: (_MODP_1024, 2),
    Dh.MODP_2048: (_MODP_2048, 2),
    Dh.MODP_2048_256: (_MODP_2048_256, _GENERATOR_2048_256),
}
# Group: the curve's base point x | y, RFC 5903 3.1 and 3.2.
_BASE_POINTS: Final = {
    Dh.ECP_256: bytes.fromhex(
        "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
    ),
    Dh.ECP_384: bytes.fromhex(
        "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7"
        "3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f"
    ),
}
# Length of the KE data in bytes, of the groups that a probe may meet.
PUBLIC_VALUE_SIZES: Final[dict[int, int]] = {
    Dh.MODP_768: 96,
    Dh.MODP_1024: 128,
    Dh.MODP_1536: 192,
    Dh.MODP_2048: 256,
    Dh.MODP_3072: 384,
    Dh.MODP_4096: 512,
    Dh.ECP_256: 64,
    Dh.ECP_384: 96,
    Dh.ECP_521: 132,
    Dh.MODP_2048_256: 256,
    Dh.CURVE25519: 32,
    Dh.CURVE448: 56,
}


def any_public_value(group: int) -> bytes:
    """A valid public value whose private key nobody needs: for a question that no key follows.

    MODP: random below the prime; ECP: the base point; others: random bytes of the right length.
    """
    if group in _BASE_POINTS:
        return _BASE_POINTS[Dh(group)]
    return b"\x7f" + os.urandom(PUBLIC_VALUE_SIZES[group] - 1)


@dataclass(frozen=True, slots=True)
class KeyPair:
    """An ephemeral key of one group: ``public`` goes into the KE payload."""

    group: int
    public: bytes
    _private: int | ec.EllipticCurvePrivateKey

    def shared_secret(self, peer: bytes) -> bytes:
        """g^ir as octets: of the prime's length (RFC 7296 2.14), for ECP the x coordinate (RFC 5903 7).

        Raises ProtocolError when the peer's value is no element of the group.
        """
        if isinstance(self._private, int):
            return self._modp_secret(peer, self._private)
        return self._ecp_secret(peer, self._private)

    def _modp_secret(self, peer: bytes, private: int) -> bytes:
        prime, _ = _MODP[Dh(self.group)]
        value = int.from_bytes(peer, "big")
        if len(peer) != PUBLIC_VALUE_SIZES[self.group] or not 1 < value < prime - 1:
            raise ProtocolError(f"the peer's Diffie-Hellman value is not of group {self.group}")
        return pow(value, private, prime).to_bytes(len(peer), "big")

    def _ecp_secret(self, peer: bytes, private: ec.EllipticCurvePrivateKey) -> bytes:
        from cryptography.hazmat.primitives.asymmetric import ec

        try:
            public = ec.EllipticCurvePublicKey.from_encoded_point(private.curve, b"\x04" + peer)
            return private.exchange(ec.ECDH(), public)
        except ValueError as error:
            raise ProtocolError(f"the peer's Diffie-Hellman value is not of group {self.group}") from error


def new_key_pair(group: int) -> KeyPair:
    """A fresh key pair of one of the six groups. KeyError for any other: callers ask for what they offered."""
    if group in _MODP:
        prime, generator = _MODP[Dh(group)]
        private = int.from_bytes(os.urandom(_EXPONENT_BITS // 8), "big") | 1 << (_EXPONENT_BITS - 1)
        public = pow(generator, private, prime).to_bytes(PUBLIC_VALUE_SIZES[group], "big")
        return KeyPair(group, public, private)
    from cryptography.hazmat.primitives.asymmetric import ec

    curve = ec.SECP256R1() if group == Dh.ECP_256 else ec.SECP384R1()
    key = ec.generate_private_key(curve)
    numbers = key.public_key().public_numbers()
    half = PUBLIC_VALUE_SIZES[group] // 2
    return KeyPair(group, numbers.x.to_bytes(half, "big") + numbers.y.to_bytes(half, "big"), key)
