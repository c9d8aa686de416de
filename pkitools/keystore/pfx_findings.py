"""What is said of a PFX when it is written: the choices that some Windows reader cannot open, with its name."""

from __future__ import annotations

from collections.abc import Iterator

from pkitools.models.keystore import KeyStoreContent
from pkitools.models.outcome import Finding, Severity, finding
from pkitools.models.secret import Secret
from pkitools.protocol.pkcs12 import Profile
from pkitools.protocol.private_key import ED448, ED25519, RSA_PSS, algorithm_name, split_key

_NOT_IN_DOTNET = frozenset({ED25519, ED448, RSA_PSS})


def pfx_findings(content: KeyStoreContent, password: Secret, profile: Profile) -> tuple[Finding, ...]:
    """Findings for a PFX of this content."""
    return tuple(_findings(content, password, profile))


def _findings(content: KeyStoreContent, password: Secret, profile: Profile) -> Iterator[Finding]:
    for name in dict.fromkeys(oid for oid in _key_oids(content) if oid in _NOT_IN_DOTNET):
        yield _warning(
            "KeyTypeNotInDotNet",
            f".NET 10 (X509CertificateLoader, PowerShell) cannot open a PFX with a key of type {algorithm_name(name)}",
            "use an RSA or EC key where .NET or Windows shall read the file",
        )
    if profile is Profile.PBMAC1:
        yield _warning(
            "Pbmac1NotInDotNet",
            "a PFX with PBMAC1 (RFC 9879) cannot be opened by .NET 10, OpenSSL before 3.4 or Java before 26",
            "use --profile windows where Windows shall read the file",
        )
    if len(content.keys) > 1:
        yield _warning(
            "SeveralKeys",
            f"the PFX holds {len(content.keys)} keys: .NET's LoadPkcs12 and Get-PfxCertificate take the last "
            "certificate that has a key, others the first",
            "choose one with --thumbprint or --alias",
        )
    if not password:
        yield finding(Severity.NOTE, "EmptyPassword", "the PFX has an empty password: everybody can open it")


def _key_oids(content: KeyStoreContent) -> Iterator[str]:
    return (split_key(key.pkcs8)[0] for key in content.keys)


def _warning(identifier: str, message: str, next_step: str) -> Finding:
    return finding(Severity.WARNING, identifier, message, next_step)
