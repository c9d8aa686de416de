"""Is a certificate on its CA's list? RFC 5280 6.3.3: is this the right list, is it authentic, current, in scope?

What is not supported is named and never passed: indirect CRLs, lists signed with another key than the certificate
(Windows wants the same key as well), names relative to the issuer, unknown critical extensions.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from pkitools.errors import FormatError
from pkitools.models.certificate import DistributionPoint, KeyUsage
from pkitools.models.trust import RevocationResult, RevocationStatus
from pkitools.protocol.crl import ALL_REASONS, Crl, IssuingDistributionPoint, RevokedEntry, read_crl
from pkitools.trust.members import Member
from pkitools.trust.signatures import Proof, proof_of
from pkitools.trust.sources import Ask, Visits

CLOCK_SKEW = timedelta(minutes=5)
MAX_POINTS = 8
MAX_NAMES = 6
_WHOLE = IssuingDistributionPoint()


class NotUsable(Exception):
    """Why a list cannot tell about a certificate; stays inside this package."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The certificate in question with its issuer, and the moment."""

    member: Member
    issuer: Member
    now: datetime

    @property
    def serial(self) -> bytes:
        """Content octets of the serial number."""
        return bytes.fromhex(self.member.model.serial_number)

    def result(self, status: RevocationStatus, message: str = "", **more: object) -> RevocationResult:
        """A result about this certificate."""
        model = self.member.model
        return RevocationResult(model.subject, model.serial_number, status, message=message, **more)  # type: ignore[arg-type]


def ask_crls(subject: Subject, visits: Visits) -> RevocationResult:
    """The status by CRL: of its distribution points the first usable list of each, until all reasons are covered."""
    points = subject.member.model.crl_distribution_points[:MAX_POINTS]
    if not points:
        return subject.result(RevocationStatus.NO_CHECK, "the certificate names no CRL distribution point")
    covered: set[str] = set()
    last: RevocationResult | None = None
    failures: list[str] = []
    for point in points:
        found = _ask_point(subject, point, visits, failures)
        if found is None:
            continue
        result, reasons = found
        if result.revocation_status is not RevocationStatus.GOOD:
            return result
        covered |= reasons
        last = result
        if covered >= ALL_REASONS:
            return result
    if last is not None:
        failures.append(f"the lists leave out revocation for {', '.join(sorted(ALL_REASONS - covered))}")
    return subject.result(RevocationStatus.OFFLINE, "; ".join(dict.fromkeys(failures))[:600])


def _ask_point(
    subject: Subject, point: DistributionPoint, visits: Visits, failures: list[str]
) -> tuple[RevocationResult, set[str]] | None:
    """What the first usable list of a point says, and for which reasons; None when there is none."""
    if point.crl_issuer is not None:
        failures.append(f"an indirect CRL (issued by {point.crl_issuer}) is not supported")
        return None
    if not point.names:
        failures.append("a distribution point without a full name is not supported")
    for url in point.names[:MAX_NAMES]:
        crl = visits.get(Ask(url, "Crl"), read_crl)
        if crl is None:
            failures.append(f"{_short(url)}: {visits.error_of(url)}")
            continue
        try:
            return _judge_list(subject, point, crl, url, visits)
        except (NotUsable, FormatError) as error:
            failures.append(f"{_short(url)}: {error}")
    return None


def _short(url: str) -> str:
    return url if len(url) <= 120 else url[:117] + "..."


def _judge_list(
    subject: Subject, point: DistributionPoint, crl: Crl, url: str, visits: Visits
) -> tuple[RevocationResult, set[str]]:
    if crl.base_number is not None:
        raise NotUsable("it is a delta CRL where a complete one belongs")
    check_list(crl, subject)
    reasons = check_scope(crl, point, subject)
    entry, source = crl.find(subject.serial), "Crl"
    delta, delta_url = _delta(subject, point, crl, visits)
    if delta is not None:
        newer = delta.find(subject.serial)
        if newer is not None:
            entry, source = (None if newer.reason == "RemoveFromCrl" else newer), "DeltaCrl"
    return _result(subject, entry, source, delta or crl, delta_url if source == "DeltaCrl" else url), reasons


def _result(subject: Subject, entry: RevokedEntry | None, source: str, crl: Crl, url: str | None) -> RevocationResult:
    status = RevocationStatus.GOOD if entry is None else RevocationStatus.REVOKED
    return subject.result(
        status,
        source=source,
        url=url,
        this_update=crl.this_update,
        next_update=crl.next_update,
        revoked_at=entry.revoked_at if entry else None,
        reason=entry.reason if entry else None,
    )


def check_list(crl: Crl, subject: Subject) -> None:
    """RFC 5280 6.3.3 (a), (f), (g): issuer, key, signature, freshness, extensions. NotUsable with the reason."""
    issuer, now = subject.issuer, subject.now
    if crl.issuer != subject.member.issuer:
        raise NotUsable(f"it was issued by {crl.issuer_text}, not by the issuer of the certificate")
    key = issuer.model.subject_key_identifier
    if crl.authority_key_identifier is not None and key is not None and crl.authority_key_identifier != key:
        raise NotUsable("it is signed with another key of the CA than the certificate")
    if issuer.model.key_usages is not None and KeyUsage.CrlSign not in issuer.model.key_usages:
        raise NotUsable("its issuer's key usage does not allow signing CRLs")
    proof = _proof(crl, issuer.spki)
    if proof is not Proof.GOOD:
        raise NotUsable("its signature is wrong" if proof is Proof.BAD else "its signature cannot be checked here")
    critical = crl.unknown_critical or _critical_in_entries(crl)
    if critical is not None:
        raise NotUsable(f"it has a critical extension that is not supported: {critical}")
    if crl.this_update > now + CLOCK_SKEW:
        raise NotUsable(f"it is not valid before {crl.this_update:%Y-%m-%d %H:%M} UTC")
    if crl.next_update is None:
        raise NotUsable("it does not say until when it is valid")
    if crl.next_update < now:
        raise NotUsable(f"it is stale: it should have been replaced by {crl.next_update:%Y-%m-%d %H:%M} UTC")


@lru_cache(maxsize=256)
def _proof(crl: Crl, spki: bytes) -> Proof:
    return proof_of(crl.signed, spki)


@lru_cache(maxsize=256)
def _critical_in_entries(crl: Crl) -> str | None:
    return crl.critical_in_entries()


def check_scope(crl: Crl, point: DistributionPoint, subject: Subject) -> set[str]:
    """RFC 5280 6.3.3 (b) and (e): reasons that the list covers for this certificate. NotUsable when out of scope."""
    scope = crl.scope or _WHOLE
    if scope.indirect:
        raise NotUsable("it is an indirect CRL, which is not supported")
    if scope.relative:
        raise NotUsable("its scope is named relative to its issuer, which is not supported")
    if scope.only_attribute_certificates:
        raise NotUsable("it is for attribute certificates only")
    constraints = subject.member.model.basic_constraints
    authority = constraints is not None and constraints.certificate_authority
    if scope.only_user_certificates and authority:
        raise NotUsable("it is for user certificates only, and this is a CA")
    if scope.only_ca_certificates and not authority:
        raise NotUsable("it is for CA certificates only")
    if scope.names and not {_plain(name) for name in scope.names} & {_plain(name) for name in point.names}:
        raise NotUsable("it belongs to another distribution point")
    reasons = set(ALL_REASONS if scope.only_some_reasons is None else scope.only_some_reasons)
    return reasons & set(point.reasons or ALL_REASONS) & set(ALL_REASONS)


def _plain(name: str) -> str:
    return name.lower() if name.lower().startswith(("http:", "ldap:")) else name


def _delta(subject: Subject, point: DistributionPoint, base: Crl, visits: Visits) -> tuple[Crl | None, str | None]:
    """The delta CRL that Freshest CRL of the certificate or of the base names (RFC 5280 5.2.4 and 5.2.6).

    NotUsable when one is named over http and none can be had: what was revoked since the base is unknown then.
    """
    named = subject.member.model.freshest_crl or base.freshest
    urls = [name for item in named[:MAX_POINTS] for name in item.names if name.lower().startswith("http:")]
    failures = []
    for url in urls[:MAX_NAMES]:
        delta = visits.get(Ask(url, "DeltaCrl"), read_crl)
        if delta is None:
            failures.append(visits.error_of(url))
            continue
        try:
            _check_delta(delta, base, subject)
            return delta, url
        except NotUsable as error:
            failures.append(str(error))
    if urls:
        raise NotUsable(f"its delta CRL {_short(urls[0])} cannot be used: {'; '.join(failures)}")
    return None, None


def _check_delta(delta: Crl, base: Crl, subject: Subject) -> None:
    """RFC 5280 6.3.3 (c): same issuer, key and scope, and its base not newer than ours."""
    if delta.base_number is None:
        raise NotUsable("it is no delta CRL")
    check_list(delta, subject)
    if (delta.scope or _WHOLE) != (base.scope or _WHOLE):
        raise NotUsable("it has another scope than its base")
    if base.number is None or delta.number is None:
        raise NotUsable("the lists are not numbered")
    if base.number < delta.base_number:
        raise NotUsable(f"it needs a base of number {delta.base_number} or later, and the base has {base.number}")
    if delta.number < base.number:
        raise NotUsable("it is older than its base")
