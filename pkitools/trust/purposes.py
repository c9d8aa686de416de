"""What Windows asks of a certificate for each purpose beyond a good chain: extended key usage, names, SID.

Sources: Microsoft's certificate requirements for PEAP and EAP-TLS (NPS, users, computers) and KB5014754 (SID).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pkitools.models.certificate import Certificate, NameKind
from pkitools.models.trust import Purpose
from pkitools.protocol.oid_names import CLIENT_AUTH, IKE_INTERMEDIATE, SERVER_AUTH
from pkitools.protocol.x509_extensions import SID_URI
from pkitools.trust.issues import Issue, flagless, noted, warned


@dataclass(frozen=True, slots=True)
class Rule:
    """``usage``: the extended key usage that Windows requires. ``server``: the peer sends its chain, so it is told what
    to send. ``kind`` names the certificate in sentences; ``advised`` is an extended key usage worth having."""

    usage: str
    kind: str
    server: bool
    advised: str | None = None


RULES = {
    Purpose.SSTP_SERVER: Rule(SERVER_AUTH, "an SSTP server", server=True),
    Purpose.WEB_SERVER: Rule(SERVER_AUTH, "a web server", server=True),
    Purpose.IKE_SERVER: Rule(SERVER_AUTH, "an IKEv2 server", server=True, advised=IKE_INTERMEDIATE),
    Purpose.NPS_SERVER: Rule(SERVER_AUTH, "an NPS server", server=True),
    Purpose.VPN_USER: Rule(CLIENT_AUTH, "a VPN user", server=False),
    Purpose.DEVICE: Rule(CLIENT_AUTH, "a device", server=False),
}
_SID = re.compile(r"S-1-5-21(-\d{1,10}){4}")
_SID_STEP = (
    "let the enterprise CA issue it anew from a template that builds the subject from the directory, or put the SID "
    "into the SAN as URL=" + SID_URI + "<sid> when the subject is supplied in the request (Intune, NDES)"
)


def check_holder(leaf: Certificate, purpose: Purpose) -> Iterator[Issue]:
    """What is to be said of the leaf for this purpose alone."""
    if purpose is Purpose.NPS_SERVER:
        yield from _nps(leaf)
    elif purpose is Purpose.VPN_USER:
        if not leaf.names(NameKind.PRINCIPAL):
            message = "the certificate has no user principal name among its alternative names"
            yield warned(0, "NoPrincipalName", message, "issue it from a template that includes the UPN")
        yield from _sid(leaf, "the user's account")
    elif purpose is Purpose.DEVICE:
        if not leaf.names(NameKind.DNS):
            message = "the certificate does not name the computer's DNS name among its alternative names"
            yield warned(0, "NoDnsName", message, "issue it from a template that includes the DNS name")
        yield from _sid(leaf, "the computer's account")


def _nps(leaf: Certificate) -> Iterator[Issue]:
    if not leaf.subject:
        message = "the subject is empty: NPS does not offer such a certificate for PEAP and EAP-TLS"
        yield flagless(0, "EmptySubject", message, "issue it anew with the common name of the NPS server")
    if leaf.key_algorithm.friendly_name not in ("RSA", ""):
        message = f"the key is {leaf.key_algorithm}: Microsoft asks for RSA with 2048 bits or more on NPS servers"
        yield warned(0, "NotRsa", message, "issue it anew with an RSA key of 2048 bits or more")


def _sid(leaf: Certificate, account: str) -> Iterator[Issue]:
    """Strong mapping (KB5014754): the SID in its extension or in the SAN URI of the agreed form."""
    sid = leaf.security_identifier
    if sid is not None and not _SID.fullmatch(sid):
        yield warned(0, "BadSid", f"{sid} is not the SID of {account}", _SID_STEP)
    elif sid is None and (place := _misplaced(leaf)) is not None:
        message = f"the SID stands in the wrong place ({place}), where domain controllers do not look for it"
        yield warned(0, "MisplacedSid", message, _SID_STEP)
    elif sid is None and account.startswith("the user"):
        message = f"no SID: domain controllers do not map it to {account} (KB5014754) unless altSecurityIdentities does"
        yield warned(0, "NoSid", message, _SID_STEP)
    elif sid is None:
        message = "no SID: fine for the device tunnel's IKEv2, but EAP-TLS by NPS will not map it to " + account
        yield noted(0, "NoSid", message, _SID_STEP)


def _misplaced(leaf: Certificate) -> str | None:
    for name in leaf.subject_alternative_names:
        if _SID.search(name.value):
            return f"{name.kind.value} {name.value}"
    return "the subject" if _SID.search(leaf.subject) else None
