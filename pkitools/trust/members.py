"""A certificate as path building needs it: its encoded names, key and signature beside the model."""

from __future__ import annotations

from functools import lru_cache

from pkitools.errors import FormatError
from pkitools.models.certificate import Certificate
from pkitools.protocol.signed import SignatureAlgorithm, Signed, read_signature_algorithm
from pkitools.protocol.strict_der import Value
from pkitools.protocol.x509 import read_certificate, split_certificate
from pkitools.trust.signatures import Proof, proof_of


class Member:
    """One certificate. ``subject``, ``issuer`` and ``spki`` are encodings; names are compared octet by octet."""

    __slots__ = ("_inner", "_outer", "_proofs", "der", "issuer", "model", "signed", "spki", "subject")

    def __init__(self, der: bytes) -> None:
        """FormatError when ``der`` is no certificate."""
        parts = split_certificate(der)
        self.der = der
        self.model: Certificate = read_certificate(der)
        self.subject, self.issuer, self.spki = parts.subject, parts.issuer, parts.spki.encoded
        self.signed = Signed(parts.body, _algorithm(parts.algorithm), parts.signature)
        self._proofs: dict[bytes, Proof] = {}
        self._outer, self._inner = parts.algorithm.encoded, parts.inner_algorithm.encoded

    @property
    def self_issued(self) -> bool:
        """Subject and issuer are the same name."""
        return self.subject == self.issuer

    def proof(self, issuer: Member) -> Proof:
        """Whether ``issuer``'s key signed this certificate. Names are not looked at."""
        # RFC 5280 4.1.1.2: both algorithm identifiers must be the same.
        if self._outer != self._inner:
            return Proof.BAD
        if issuer.spki not in self._proofs:
            self._proofs[issuer.spki] = proof_of(self.signed, issuer.spki)
        return self._proofs[issuer.spki]

    @property
    def self_signed(self) -> bool:
        """Self-issued and signed with its own key."""
        return self.self_issued and self.proof(self) is Proof.GOOD


def _algorithm(value: Value) -> SignatureAlgorithm:
    """An algorithm that cannot be read is one that nobody can check."""
    try:
        return read_signature_algorithm(value)
    except FormatError:
        return SignatureAlgorithm("", "", "")


@lru_cache(maxsize=256)
def member_of(der: bytes) -> Member:
    """The member for a DER certificate; the same object for the same bytes while it is in use."""
    return Member(der)
