"""The integrity check: the classic MAC (RFC 7292 4.1, 5.1) and PBMAC1 (RFC 9879, which replaced RFC 9579)."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from pkitools.errors import FormatError
from pkitools.models.keystore import Mac
from pkitools.protocol import der
from pkitools.protocol.pkcs12 import algorithms as alg
from pkitools.protocol.pkcs12 import kdf
from pkitools.protocol.pkcs12.passwords import Candidate
from pkitools.protocol.pkcs12.pbe import KeyDerivation, parse_derivation, unsupported

_WHAT = "the integrity check (MAC)"
_MIN_KEY_OCTETS = 20  # RFC 9879 6: a shorter key is worth nothing


@dataclass(frozen=True, slots=True)
class MacData:
    """MacData of a PFX. ``digest`` and ``expected`` are those of the MAC; ``pbkdf2`` is there for PBMAC1 only, whose
    parameters replace ``salt`` and ``iterations``."""

    oid: str
    digest: str
    expected: bytes
    salt: bytes
    iterations: int
    pbkdf2: KeyDerivation | None = None

    @classmethod
    def parse(cls, reader: der.Reader) -> MacData:
        """Read MacData. FormatError: Damaged, or UnsupportedAlgorithm with the OID."""
        info = reader.sequence("the MAC's digest")
        algorithm = info.sequence("the MAC's algorithm")
        oid = algorithm.oid("the MAC's algorithm")
        expected = info.octets("the MAC")
        salt = reader.octets("the MAC's salt")
        iterations = reader.integer("the MAC's iteration count") if reader.more() else 1
        if oid == alg.PBMAC1:
            return cls._pbmac1(algorithm.sequence("PBMAC1 parameters"), expected, salt, iterations)
        if oid not in alg.DIGESTS:
            raise unsupported(_WHAT, oid)
        if iterations < 1:
            raise reader.error(f"a MAC iteration count of {iterations}")
        return cls(oid, alg.DIGESTS[oid], expected, salt, iterations)

    @classmethod
    def _pbmac1(cls, parameters: der.Reader, expected: bytes, salt: bytes, iterations: int) -> MacData:
        derivation = parse_derivation(parameters, _WHAT)
        scheme = parameters.sequence("PBMAC1's MAC").oid("PBMAC1's MAC")
        if scheme not in alg.HMACS:
            raise unsupported(_WHAT, scheme)
        if derivation.kind != "PBKDF2":
            raise unsupported(_WHAT, alg.SCRYPT)
        if derivation.key_length is None or not _MIN_KEY_OCTETS <= derivation.key_length <= 1024:
            raise FormatError(
                f"PBMAC1 without a usable key length ({derivation.key_length}): RFC 9879 wants 20 octets or more",
                error_id="Pbmac1KeyLength",
            )
        return cls(alg.PBMAC1, alg.HMACS[scheme], expected, salt, iterations, derivation)

    @property
    def work(self) -> int:
        """Iterations of the key derivation."""
        return self.pbkdf2.iterations if self.pbkdf2 else self.iterations

    def describe(self, verified: bool | None) -> Mac:
        """The MAC as data that leaves the program."""
        if self.pbkdf2 is None:
            name = alg.digest_name(self.digest)
            return Mac("PKCS12", name, self.oid, None, self.iterations, len(self.salt), verified)
        prf = "HMAC-" + alg.digest_name(self.pbkdf2.digest)
        size = len(self.pbkdf2.salt)
        return Mac("PBMAC1", alg.digest_name(self.digest), self.oid, prf, self.work, size, verified)

    def same_key(self, first: Candidate, second: Candidate) -> bool:
        """Whether two forms of a password are one to this MAC."""
        return first.narrow == second.narrow if self.pbkdf2 else first.wide == second.wide

    def compute(self, content: bytes, password: Candidate) -> bytes:
        """The MAC over the authenticated safe's octets."""
        size = int(hashlib.new(self.digest).digest_size)
        if self.pbkdf2:
            key = self.pbkdf2.derive(password.narrow, self.pbkdf2.key_length or size)
        else:
            key = kdf.pkcs12_kdf(self.digest, password.wide, self.salt, self.iterations, purpose=kdf.MAC_KEY, size=size)
        return hmac.digest(key, content, self.digest)

    def fits(self, content: bytes, password: Candidate) -> bool:
        """Whether the MAC is right for the password."""
        return hmac.compare_digest(self.compute(content, password), self.expected)
