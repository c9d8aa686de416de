"""Key derivation: prf, prf+ and the seven keys of an IKE SA (RFC 7296 2.13, 2.14)."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from pkitools.errors import ProtocolError
from pkitools.protocol.ike.numbers import Encr, Integ, Prf, TransformType
from pkitools.protocol.ike.proposals import Proposal

_PRF_HASHES: Final = {
    Prf.HMAC_MD5: "md5",
    Prf.HMAC_SHA1: "sha1",
    Prf.HMAC_SHA2_256: "sha256",
    Prf.HMAC_SHA2_384: "sha384",
    Prf.HMAC_SHA2_512: "sha512",
}
# Integrity: hash, key length, length of the truncated check value, in bytes (RFC 2403, 2404, 4868).
INTEG: Final = {
    Integ.HMAC_MD5_96: ("md5", 16, 12),
    Integ.HMAC_SHA1_96: ("sha1", 20, 12),
    Integ.HMAC_SHA2_256_128: ("sha256", 32, 16),
    Integ.HMAC_SHA2_384_192: ("sha384", 48, 24),
    Integ.HMAC_SHA2_512_256: ("sha512", 64, 32),
}
_GCM_SALT = 4  # RFC 5282 7.1: the last four bytes of the key


class Suite(NamedTuple):
    """The algorithms of an IKE SA as transform ids; ``key_length`` in bits, ``integ`` None with AES-GCM."""

    encr: int
    key_length: int | None
    prf: int
    integ: int | None
    dh: int

    @classmethod
    def chosen(cls, proposal: Proposal) -> Suite:
        """The suite of a proposal in which the peer left one transform of each type.

        Raises ProtocolError when one is missing or cannot be used here.
        """
        picked = {kind: proposal.transform(kind) for kind in TransformType}
        encr, prf, dh = picked[TransformType.ENCR], picked[TransformType.PRF], picked[TransformType.DH]
        if encr is None or prf is None or dh is None:
            raise ProtocolError("the IKE peer chose a proposal without cipher, PRF or group")
        integ = picked[TransformType.INTEG]
        integ_id = integ.id if integ is not None and integ.id != Integ.NONE else None
        return cls(encr.id, encr.key_length, prf.id, integ_id, dh.id)

    @property
    def is_aead(self) -> bool:
        """AES-GCM authenticates itself: no integrity algorithm."""
        return self.encr == Encr.AES_GCM_16

    @property
    def encryption_key_size(self) -> int:
        """Bytes of SK_ei and SK_er, with AES-GCM including the salt. Raises ProtocolError."""
        if self.encr == Encr.DES:
            return 8
        if self.encr == Encr.DES3:
            return 24
        if self.encr in (Encr.AES_CBC, Encr.AES_GCM_16) and self.key_length in (128, 192, 256):
            return self.key_length // 8 + (_GCM_SALT if self.is_aead else 0)
        raise ProtocolError(f"IKE cipher {self.encr} with key length {self.key_length} is not implemented here")

    @property
    def integrity_key_size(self) -> int:
        """Bytes of SK_ai and SK_ar. Raises ProtocolError."""
        if self.is_aead:
            return 0
        if self.integ not in INTEG:
            raise ProtocolError(f"IKE integrity algorithm {self.integ} is not implemented here")
        return INTEG[Integ(self.integ)][1]

    @property
    def prf_hash(self) -> str:
        """Name of the PRF's hash. Raises ProtocolError."""
        if self.prf not in _PRF_HASHES:
            raise ProtocolError(f"IKE PRF {self.prf} is not implemented here")
        return _PRF_HASHES[Prf(self.prf)]


def prf(digest: str, key: bytes, data: bytes) -> bytes:
    """HMAC with the named hash, RFC 7296 2.13."""
    return hmac.digest(key, data, digest)


def prf_plus(digest: str, key: bytes, seed: bytes, size: int) -> bytes:
    """``size`` bytes of prf+(key, seed), RFC 7296 2.13: T1 | T2 | ... with Tn = prf(key, Tn-1 | seed | n)."""
    block, stream, counter = b"", b"", 1
    while len(stream) < size:
        block = prf(digest, key, block + seed + bytes((counter,)))
        stream += block
        counter += 1
    return stream[:size]


@dataclass(frozen=True, slots=True)
class SaKeys:
    """The keys of an IKE SA, named as in RFC 7296 2.14. SK_d is of no use here: no child SA follows."""

    suite: Suite
    sk_ai: bytes = field(repr=False)
    sk_ar: bytes = field(repr=False)
    sk_ei: bytes = field(repr=False)
    sk_er: bytes = field(repr=False)
    sk_pi: bytes = field(repr=False)
    sk_pr: bytes = field(repr=False)


def derive_keys(suite: Suite, shared: bytes, nonces: tuple[bytes, bytes], spis: tuple[bytes, bytes]) -> SaKeys:
    """The keys from g^ir, (Ni, Nr) and (SPIi, SPIr), RFC 7296 2.14. Raises ProtocolError for unknown algorithms."""
    digest = suite.prf_hash
    key_seed = prf(digest, nonces[0] + nonces[1], shared)
    prf_size = len(prf(digest, b"", b""))
    sizes = (
        *(prf_size, suite.integrity_key_size, suite.integrity_key_size),
        *(suite.encryption_key_size, suite.encryption_key_size, prf_size, prf_size),
    )
    stream = prf_plus(digest, key_seed, nonces[0] + nonces[1] + spis[0] + spis[1], sum(sizes))
    parts, offset = [], 0
    for size in sizes:
        parts.append(stream[offset : offset + size])
        offset += size
    return SaKeys(suite, *parts[1:])
