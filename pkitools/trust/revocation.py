"""Revocation of every certificate below the root, by CRL, OCSP or both, and what Windows makes of the outcome."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pkitools.models.outcome import Severity, finding
from pkitools.models.revocation import RevocationMode
from pkitools.models.trust import ChainFlag, RevocationResult, RevocationStatus
from pkitools.trust.crl import Subject, ask_crls
from pkitools.trust.issues import Issue, flagged, label, warned
from pkitools.trust.ocsp import ask_responders, judge_staple
from pkitools.trust.paths import Path
from pkitools.trust.signatures import Proof
from pkitools.trust.sources import Visits


def check_revocation(
    path: Path, mode: RevocationMode, visits: Visits, now: datetime, staple: bytes | None = None
) -> tuple[tuple[RevocationResult, ...], list[Issue]]:
    """The results for the members below the root, the leaf first (in mode BOTH two for a member), and the issues."""
    results: list[RevocationResult] = []
    issues: list[Issue] = []
    if mode is RevocationMode.OFF:
        return (), issues
    for position, (link, above) in enumerate(zip(path.links, path.links[1:], strict=False)):
        if link.proof is not Proof.GOOD:
            continue  # whoever has the name of the issuer without its key has no say about the certificate
        subject = Subject(link.member, above.member, now)
        found = _ask(subject, mode, visits, staple if position == 0 else None)
        results += found
        issues += _issues(found, position, subject)
    return tuple(results), issues


def _ask(subject: Subject, mode: RevocationMode, visits: Visits, staple: bytes | None) -> list[RevocationResult]:
    found = [judge_staple(staple, subject)] if staple is not None else []
    if mode is not RevocationMode.CRL and found and found[0].revocation_status is RevocationStatus.GOOD:
        answered = True  # the responder's answer is at hand already
    else:
        answered = False
    model = subject.member.model
    by_ocsp = mode in (RevocationMode.OCSP, RevocationMode.BOTH) and bool(model.ocsp_urls)
    # Windows asks a responder too where a certificate names no CRL at all.
    by_ocsp = by_ocsp or (bool(model.ocsp_urls) and not model.crl_distribution_points)
    if by_ocsp and not answered:
        found.append(ask_responders(subject, visits))
    if mode is RevocationMode.OCSP and (by_ocsp or answered):
        return found
    if model.crl_distribution_points or not by_ocsp:
        found.append(ask_crls(subject, visits))
    return found


def _issues(found: list[RevocationResult], position: int, subject: Subject) -> Iterator[Issue]:
    name = label(subject.member.model, position)
    revoked = next((item for item in found if item.revocation_status is RevocationStatus.REVOKED), None)
    if revoked is not None:
        yield _revoked(revoked, position, name)
        return
    asked = [item for item in found if item.source != "Staple"] or found
    known = any(item.revocation_status is RevocationStatus.GOOD for item in asked)
    for item in found:
        if item.revocation_status is RevocationStatus.OFFLINE:
            yield from _offline(item, position, name, grave=not known)
        elif item.revocation_status is RevocationStatus.NO_CHECK and not known:
            yield _no_check(item, position, name)


def _revoked(result: RevocationResult, position: int, name: str) -> Issue:
    when = f" on {result.revoked_at:%Y-%m-%d %H:%M} UTC" if result.revoked_at else ""
    why = f" ({result.reason})" if result.reason else ""
    step = "get a new certificate and bind it; the old one is refused by every client"
    return flagged(position, ChainFlag.Revoked, "Revoked", f"{name} was revoked{when}{why}", step)


def _offline(result: RevocationResult, position: int, name: str, *, grave: bool) -> Iterator[Issue]:
    message = f"the revocation of {name} cannot be checked: {result.message}"
    if result.source == "Staple":
        step = "restart the server or its OCSP updater: it hands out an answer that no client can use"
        yield warned(position, "BadStaple", message, step, "CRYPT_E_REVOCATION_OFFLINE")
        return
    if "ldap" in result.message:
        step = "publish the CRL over http on a host that clients reach from outside, and name it in the CA's extensions"
    elif "delta" in result.message.lower():
        step = "publish the delta CRL too; on IIS allow double escaping, since its name has a plus sign"
    else:
        step = "make the CRL reachable and current: look at the web server, then publish anew with 'certutil -crl'"
    if not grave:
        yield warned(position, "RevocationOffline", message, step, "CRYPT_E_REVOCATION_OFFLINE")
        return
    yield flagged(position, ChainFlag.OfflineRevocation, "RevocationOffline", message, step)
    # A dead CRL host sets both flags in Windows; one finding is enough.
    unknown = finding(Severity.ERROR, "RevocationOffline", message, step, code="CRYPT_E_REVOCATION_OFFLINE")
    yield Issue(position, ChainFlag.RevocationStatusUnknown, unknown)


def _no_check(result: RevocationResult, position: int, name: str) -> Issue:
    message = f"the revocation of {name} cannot be checked: {result.message}"
    step = "let the CA put an http CRL distribution point into its certificates, and issue the certificate anew"
    return flagged(position, ChainFlag.RevocationStatusUnknown, "NoRevocationCheck", message, step)
