"""What is said of a PFX when it is written: the choices that some Windows reader cannot open, with its name."""

from __future__ import annotations

from collections.abc import Iterator

from pkitools.models.keystore import KeyStoreContent
from pkitools.models.outcome import Finding, Severity, finding
from pkitools.models.secret import Secret
from pkitools.protocol.pkcs12 import Profile
from pkitools.protocol.private_key import DSA, ED448, ED25519, RSA, RSA_PSS, algorithm_name, split_key

_NOT_IN_DOTNET = frozenset({ED25519, ED448, RSA_PSS})
_IN_A_CSP = frozenset({RSA, DSA})
_DOTNET_EACH, _DOTNET_TOTAL = 300_000, 1_000_000


def pfx_findings(
    content: KeyStoreContent, password: Secret, profile: Profile, *, iterations: int, mac_iterations: int
) -> tuple[Finding, ...]:
    """Findings for a PFX of this content, with these rounds for the MAC and for each key and the certificates."""
    return (
        *_key_findings(content),
        *_format_findings(profile, iterations, mac_iterations, parts=len(content.keys) + 1),
        *(() if password else (_EMPTY_PASSWORD,)),
    )


def _key_findings(content: KeyStoreContent) -> Iterator[Finding]:
    types = {key: split_key(key.pkcs8)[0] for key in content.keys}
    for oid in dict.fromkeys(oid for oid in types.values() if oid in _NOT_IN_DOTNET):
        yield _warning(
            "KeyTypeNotInDotNet",
            f".NET 10 (X509CertificateLoader, PowerShell) cannot open a PFX with a key of type {algorithm_name(oid)}",
            "use an RSA or EC key where .NET or Windows shall read the file",
        )
    for key, oid in types.items():
        if key.provider is not None and not is_ksp(key.provider) and oid not in _IN_A_CSP:
            yield _warning(
                "KeyTypeNotForCsp",
                f"{key.provider!r} is a CSP, and a CSP holds no key of type {algorithm_name(oid)}",
                "give a key storage provider with --provider",
            )
    if len(content.keys) > 1:
        yield _warning(
            "SeveralKeys",
            f"the PFX holds {len(content.keys)} keys: .NET's LoadPkcs12 and Get-PfxCertificate take the last "
            "certificate that has a key, others the first",
            "choose one with --thumbprint or --alias",
        )


def _format_findings(profile: Profile, iterations: int, mac_iterations: int, *, parts: int) -> Iterator[Finding]:
    if profile is Profile.PBMAC1:
        yield _warning(
            "Pbmac1NotInDotNet",
            "a PFX with PBMAC1 (RFC 9879) cannot be opened by .NET 10, OpenSSL before 3.4 or Java up to 25",
            "use --profile windows where Windows shall read the file",
        )
    if max(iterations, mac_iterations) > _DOTNET_EACH or iterations * parts > _DOTNET_TOTAL:
        yield _warning(
            "IterationsOverDotNet",
            f".NET's X509CertificateLoader (PowerShell) refuses more than {_DOTNET_EACH:,} rounds for the MAC or one "
            f"part and {_DOTNET_TOTAL:,} for all parts",
            "use fewer --iterations and --mac-iterations",
        )


def is_ksp(provider: str) -> bool:
    """Whether a provider's name is that of a key storage provider (CNG); all others are CSPs (CryptoAPI)."""
    folded = provider.rstrip("\0").casefold()
    return "key storage provider" in folded or folded == "microsoft platform crypto provider"


_EMPTY_PASSWORD = finding(Severity.NOTE, "EmptyPassword", "the PFX has an empty password: everybody can open it")


def _warning(identifier: str, message: str, next_step: str) -> Finding:
    return finding(Severity.WARNING, identifier, message, next_step)
