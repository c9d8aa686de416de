"""What is wrong with a path, as Windows' chain flags and as findings; the table between flags and HRESULTs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from pkitools import codes
from pkitools.models.certificate import Certificate
from pkitools.models.outcome import Finding, Severity, finding
from pkitools.models.trust import ChainFlag, ChainStatus

# HRESULT that .NET on Windows gives for a flag, and the sentence beside it.
FLAGS: dict[ChainFlag, tuple[str | None, str]] = {
    ChainFlag.NotSignatureValid: ("TRUST_E_CERT_SIGNATURE", "A certificate's signature cannot be verified."),
    ChainFlag.UntrustedRoot: ("CERT_E_UNTRUSTEDROOT", "The chain ends in a root that is not trusted."),
    ChainFlag.PartialChain: ("CERT_E_CHAINING", "The chain could not be built up to a root."),
    ChainFlag.Revoked: ("CRYPT_E_REVOKED", "A certificate is revoked."),
    ChainFlag.NotTimeValid: ("CERT_E_EXPIRED", "A certificate is not within its validity period."),
    ChainFlag.NotTimeNested: ("CERT_E_VALIDITYPERIODNESTING", "The validity periods are not nested."),
    ChainFlag.NotValidForUsage: ("CERT_E_WRONG_USAGE", "A certificate is not valid for the requested usage."),
    ChainFlag.InvalidBasicConstraints: ("TRUST_E_BASIC_CONSTRAINTS", "A basic constraint is not observed."),
    ChainFlag.InvalidNameConstraints: ("CERT_E_INVALID_NAME", "A name constraint is invalid."),
    ChainFlag.HasNotSupportedNameConstraint: ("CERT_E_INVALID_NAME", "A name constraint is not supported."),
    ChainFlag.HasNotDefinedNameConstraint: ("CERT_E_INVALID_NAME", "A name constraint is not defined."),
    ChainFlag.HasNotPermittedNameConstraint: ("CERT_E_INVALID_NAME", "A name is not permitted by a constraint."),
    ChainFlag.HasExcludedNameConstraint: ("CERT_E_INVALID_NAME", "A name is excluded by a constraint."),
    ChainFlag.InvalidPolicyConstraints: ("CERT_E_INVALID_POLICY", "A policy constraint is not observed."),
    ChainFlag.NoIssuanceChainPolicy: ("CERT_E_INVALID_POLICY", "No issuance policy where one is required."),
    ChainFlag.HasNotSupportedCriticalExtension: ("CERT_E_CRITICAL", "A critical extension is not supported."),
    ChainFlag.ExplicitDistrust: ("TRUST_E_EXPLICIT_DISTRUST", "A certificate is explicitly distrusted."),
    ChainFlag.HasWeakSignature: ("CERTSRV_E_WEAK_SIGNATURE_OR_KEY", "A key or a hash is too weak."),
    ChainFlag.RevocationStatusUnknown: ("CRYPT_E_NO_REVOCATION_CHECK", "Revocation could not be checked."),
    ChainFlag.OfflineRevocation: ("CRYPT_E_REVOCATION_OFFLINE", "The revocation server is offline."),
    ChainFlag.Cyclic: (None, "The chain runs in a circle."),
    ChainFlag.InvalidExtension: (None, "An extension cannot be read."),
}


class Issue(NamedTuple):
    """One thing about member ``position`` of a path (0 is the leaf); ``flag`` is None when Windows sets none."""

    position: int
    flag: ChainFlag | None
    finding: Finding


def flagged(position: int, flag: ChainFlag, id: str, message: str, next_step: str) -> Issue:  # noqa: A002
    """An error for which Windows sets ``flag``."""
    return Issue(position, flag, finding(Severity.ERROR, id, message, next_step, code=FLAGS[flag][0]))


def flagless(position: int, id: str, message: str, next_step: str, code: str | None = None) -> Issue:  # noqa: A002
    """An error that is no matter of the chain, so that no flag stands for it."""
    return Issue(position, None, finding(Severity.ERROR, id, message, next_step, code=code))


def warned(position: int, id: str, message: str, next_step: str, code: str | None = None) -> Issue:  # noqa: A002
    """What works today and will bite."""
    return Issue(position, None, finding(Severity.WARNING, id, message, next_step, code=code))


def noted(position: int, id: str, message: str, next_step: str = "", code: str | None = None) -> Issue:  # noqa: A002
    """What is worth knowing."""
    return Issue(position, None, finding(Severity.NOTE, id, message, next_step, code=code))


def status_of(flags: Iterable[ChainFlag]) -> tuple[ChainStatus, ...]:
    """Flags as .NET's ChainStatus, each once, in the table's order."""
    present = set(flags)
    return tuple(
        ChainStatus(flag, text, code, codes.hex_of(code) if code else None)
        for flag, (code, text) in FLAGS.items()
        if flag in present
    )


def label(certificate: Certificate, position: int) -> str:
    """How a sentence names a member of the path."""
    if position == 0:
        return "the certificate"
    return f"the CA certificate {brief(certificate.subject or certificate.thumbprint)}"


def brief(text: str, limit: int = 160) -> str:
    """A text from a certificate in a sentence: cut off where it would hide the sentence."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
