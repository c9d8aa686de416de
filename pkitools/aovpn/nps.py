"""The certificate of an NPS (RADIUS) server held against a client's EAP settings.

A client refuses an NPS whose certificate has another name or comes from another root than its settings say, and tells
nobody. A renewed certificate from another authority stops every user tunnel.
"""

from __future__ import annotations

import re
from typing import Final

from pkitools.errors import FormatError
from pkitools.models.certificate import Certificate, NameKind
from pkitools.models.outcome import Finding, Severity, finding
from pkitools.models.phonebook import EapMethod, EapSettings
from pkitools.models.revocation import RevocationMode
from pkitools.models.trust import Origin, Purpose
from pkitools.protocol.pem import looks_like_pem, read_pem
from pkitools.protocol.x509 import read_certificate
from pkitools.trust import Settings, Store, judge

_MAX_LENGTH: Final = 256  # more than the 253 characters of the longest DNS name
_MAX_REPEATS: Final = 3
# What the client's own list of roots decides, not the store of this machine.
_ABOUT_TRUST: Final = frozenset(("CERT_E_CHAINING", "CERT_E_UNTRUSTEDROOT", "CERT_E_UNTRUSTEDCA"))


def read_nps_chain(data: bytes) -> tuple[Certificate, ...]:
    """The NPS server's certificate and the authorities above it, from PEM (in any order) or one DER certificate.

    The first is the certificate that issued none of the others. Raises FormatError: no certificate, two leaves.
    """
    if not looks_like_pem(data):
        return (read_certificate(data),)
    blocks = [block for block in read_pem(data) if block.label.endswith("CERTIFICATE")]
    certificates = list(dict.fromkeys(read_certificate(block.der) for block in blocks))
    if not certificates:
        raise FormatError("the file holds no certificate", hint="export the NPS certificate with its chain as PEM")
    issuers = {item.issuer for item in certificates if item.issuer != item.subject}
    leaves = [item for item in certificates if item.subject not in issuers]
    if len(leaves) > 1:
        leaves = [item for item in leaves if item.issuer != item.subject] or leaves
    if len(leaves) != 1:
        names = ", ".join(item.subject for item in leaves[:4])
        raise FormatError(f"which certificate is that of the NPS: {names}?", hint="give it with its own chain only")
    return (leaves[0], *_issuers_of(leaves[0], certificates))


def _issuers_of(leaf: Certificate, certificates: list[Certificate]) -> list[Certificate]:
    chain: list[Certificate] = []
    here = leaf
    while here.issuer != here.subject:
        above = next((item for item in certificates if item.subject == here.issuer and item not in chain), None)
        if above is None:
            break
        chain.append(above)
        here = above
    return chain


def hold_against(settings: EapSettings | None, chain: tuple[Certificate, ...]) -> tuple[Finding, ...]:
    """What a client with these settings objects to in the certificate of its NPS; empty when it takes it."""
    if settings is None:
        return (
            finding(
                Severity.NOTE, "NoEapSettings", "the connection has no EAP settings: no NPS certificate is asked for"
            ),
        )
    findings: list[Finding] = []
    for method in (settings.method, *settings.inner_methods):
        if method.trusted_root_thumbprints or method.server_names:
            findings += _name_findings(method, chain[0]) + _root_findings(method, chain)
    findings += _judged(chain)
    return tuple(dict.fromkeys(findings))


def _judged(chain: tuple[Certificate, ...]) -> list[Finding]:
    """What Windows says of the chain for this purpose, whatever the client trusts: validity, usages, signatures."""
    store = Store()
    store.add((item.raw_data for item in chain if item.issuer == item.subject), Origin.SENT)
    settings = Settings(store, revocation=RevocationMode.OFF)
    judgement = judge([item.raw_data for item in chain], Purpose.NPS_SERVER, settings)
    grave = (item for item in judgement.findings if item.severity is not Severity.NOTE)
    return [item for item in grave if item.code not in _ABOUT_TRUST]


def _name_findings(method: EapMethod, leaf: Certificate) -> list[Finding]:
    names = [*leaf.names(NameKind.DNS), *re.findall(r"(?:^|, )CN=([^,]+)", leaf.subject)]
    if not method.server_names or any(_matches(want, name) for want in method.server_names for name in names):
        return []
    return [
        finding(
            Severity.ERROR,
            "NpsNameNotListed",
            f"{method.name} accepts {'; '.join(method.server_names)}; the NPS certificate is for "
            f"{', '.join(dict.fromkeys(names)) or 'no name'}",
            "add the name to the EAP settings of the clients, or issue the NPS certificate for a listed name",
            code="CERT_E_CN_NO_MATCH",
        )
    ]


def _matches(want: str, name: str) -> bool:
    """A listed name is compared as text and, as Windows allows, as a regular expression.

    What could run for ever (groups, many repeats, very long patterns or names) is compared as text only.
    """
    if want.casefold() == name.casefold():
        return True
    if (
        max(len(want), len(name)) > _MAX_LENGTH
        or "(" in want
        or sum(want.count(sign) for sign in "*+?{|") > _MAX_REPEATS
    ):
        return False
    try:
        return re.fullmatch(want, name, re.IGNORECASE) is not None
    except (re.error, OverflowError):
        return False


def _root_findings(method: EapMethod, chain: tuple[Certificate, ...]) -> list[Finding]:
    trusted = set(method.trusted_root_thumbprints)
    if not trusted or any(item.thumbprint in trusted for item in chain[1:] or chain):
        return []
    top = chain[-1]
    if top.issuer != top.subject:
        return [
            finding(
                Severity.WARNING,
                "NpsRootUnknown",
                f"the file ends at {top.subject}, issued by {top.issuer}: the root's thumbprint cannot be compared",
                "add the root certificate to the file",
            )
        ]
    return [
        finding(
            Severity.ERROR,
            "NpsRootNotTrusted",
            f"{method.name} trusts the root {', '.join(method.trusted_root_thumbprints)}; "
            f"the NPS certificate comes from {top.thumbprint} ({top.subject})",
            "add the new root to the EAP settings of every client before the NPS certificate changes",
            code="CERT_E_UNTRUSTEDROOT",
        )
    ]
