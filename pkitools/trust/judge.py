"""The judge: what Windows would say of a certificate for a purpose, with every reason and the next step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pkitools.errors import FormatError
from pkitools.models.outcome import Finding, Severity, finding
from pkitools.models.revocation import RevocationMode
from pkitools.models.trust import ChainElement, ChainFlag, Judgement, Purpose, RevocationResult
from pkitools.trust.checks import Question, check_path
from pkitools.trust.fetcher import TimeLimit
from pkitools.trust.issues import Issue, brief, flagless, label, noted, status_of, warned
from pkitools.trust.members import Member, member_of
from pkitools.trust.names import NameMatch, match_name
from pkitools.trust.paths import MAX_SENT, Path, Pool, build_paths
from pkitools.trust.purposes import RULES, check_holder
from pkitools.trust.revocation import check_revocation
from pkitools.trust.sources import Sources, Visits
from pkitools.trust.store import Store
from pkitools.trust.strict import strict_refusal

MAX_REVOCATION_PATHS = 3


@dataclass(frozen=True, slots=True)
class Settings:
    """What all judgements of a run share.

    ``sources`` keeps what the run fetches (``Sources(None)`` asks no network); ``warn_days`` and ``crit_days`` before
    the end of validity give a warning and an error, which never touch ``certificate_is_valid``; ``now`` is the clock
    (None: this machine's).
    """

    store: Store
    sources: Sources = field(default_factory=lambda: Sources(None))
    revocation: RevocationMode = RevocationMode.CRL
    warn_days: int = 30
    crit_days: int = 7
    now: datetime | None = None


class NoLimit:
    """A TimeLimit for judgements that wait for nobody: an hour."""

    def remaining(self) -> float:
        """Seconds left."""
        return 3600.0


def judge(
    sent: Sequence[bytes],
    purpose: Purpose,
    settings: Settings,
    *,
    name: str | None = None,
    staple: bytes | None = None,
    deadline: TimeLimit | None = None,
) -> Judgement:
    """Judges ``sent[0]`` with the rest of ``sent`` (DER) as what the peer sent with it.

    ``name`` is the host name or address to be found in the certificate (None: no name is asked for), ``staple`` the
    OCSP answer of the handshake, ``deadline`` what all fetching may take; when it ends, the judgement ends with what is
    known. Raises FormatError when the leaf has not the shape of a certificate, InputError when ``name`` is no name.
    """
    if not sent:
        raise FormatError("no certificate to judge")
    now = settings.now or datetime.now(UTC)
    visits = Visits(settings.sources, deadline or NoLimit())
    pool = Pool(settings.store, tuple(_readable(sent[1:MAX_SENT])))
    ranked = _ranked(build_paths(member_of(sent[0]), pool, visits), Question(RULES[purpose], now))
    judged = _with_revocation(ranked, settings, visits, now, staple)
    match, about_name = _named(judged.path.links[0].member, name)
    about_run = [
        *check_holder(judged.path.links[0].member.model, purpose),
        *_about_handshake(settings, judged, sent),
        *_about_time(judged, settings, now),
    ]
    if RULES[purpose].server and match is not False and not judged.flags:
        about_run += _about_others(judged.path, name, now)
    findings = [*(issue.finding for issue in (*judged.issues, *about_run)), *about_name]
    return Judgement(
        purpose,
        not judged.flags,
        match,
        status_of(judged.flags),
        _elements(judged),
        _ordered(findings),
        judged.revocation,
        tuple(visits.records),
    )


def _readable(sent: Sequence[bytes]) -> Iterator[Member]:
    for der in sent:
        try:
            yield member_of(der)
        except FormatError:
            continue


@dataclass(frozen=True, slots=True)
class _Judged:
    path: Path
    issues: list[Issue]
    revocation: tuple[RevocationResult, ...] = ()

    @property
    def flags(self) -> set[ChainFlag]:
        return {issue.flag for issue in self.issues if issue.flag is not None}


# From the gravest: of two paths the one without the first flag in which they differ is better.
_GRAVITY = (
    {ChainFlag.NotSignatureValid},
    {ChainFlag.PartialChain, ChainFlag.Cyclic},
    {ChainFlag.UntrustedRoot},
    {ChainFlag.Revoked},
    {ChainFlag.NotTimeValid},
    {ChainFlag.InvalidBasicConstraints},
)


def _rank(judged: _Judged) -> tuple[bool | int, ...]:
    flags = judged.flags
    warnings = sum(issue.finding.severity is Severity.WARNING for issue in judged.issues)
    grave = tuple(bool(flags & group) for group in _GRAVITY)
    return (*grave, len(flags), warnings, len(judged.path.links))


def _ranked(paths: list[Path], question: Question) -> list[_Judged]:
    """The paths, the best first."""
    return sorted((_Judged(path, check_path(path, question)) for path in paths), key=_rank)


def _with_revocation(
    ranked: list[_Judged], settings: Settings, visits: Visits, now: datetime, staple: bytes | None
) -> _Judged:
    """The best path when revocation counts too: if the first fails for that alone, others that were flawless get their
    turn."""
    flawless = [item for item in ranked if not item.flags][:MAX_REVOCATION_PATHS] or ranked[:1]
    judged: list[_Judged] = []
    for item in flawless:
        results, issues = check_revocation(item.path, settings.revocation, visits, now, staple)
        judged.append(_Judged(item.path, sorted([*item.issues, *issues], key=lambda issue: issue.position), results))
        if not judged[-1].flags:
            break
    return min(judged, key=_rank)


def _elements(judged: _Judged) -> tuple[ChainElement, ...]:
    flags: dict[int, dict[ChainFlag, None]] = {}
    for issue in judged.issues:
        if issue.flag is not None:
            flags.setdefault(issue.position, {})[issue.flag] = None
    return tuple(
        ChainElement(link.member.model, link.origin, tuple(flags.get(position, ())), link.url)
        for position, link in enumerate(judged.path.links)
    )


def _ordered(findings: list[Finding]) -> tuple[Finding, ...]:
    order = list(Severity)
    return tuple(sorted(dict.fromkeys(findings), key=lambda item: order.index(item.severity)))


def _about_handshake(settings: Settings, judged: _Judged, sent: Sequence[bytes]) -> Iterator[Issue]:
    if settings.store.problem and not judged.path.trusted:
        step = "install the package ca-certificates, set SSL_CERT_FILE, or give the root with --ca-file"
        yield warned(0, "EmptyStore", settings.store.problem, step)
    if len(sent) > MAX_SENT:
        message = f"{len(sent)} certificates were sent; only the first {MAX_SENT} were looked at"
        yield warned(0, "TooManyCertificates", message, "send the leaf and its intermediates only")


def _about_others(path: Path, name: str | None, now: datetime) -> Iterator[Issue]:
    refusal = strict_refusal(path, name, now)
    if refusal is not None:
        yield noted(
            0, "OthersRefuse", f"strict verification, as browsers and other libraries do it, refuses: {refusal}"
        )


def _about_time(judged: _Judged, settings: Settings, now: datetime) -> Iterator[Issue]:
    for index, link in enumerate(judged.path.links):
        end = link.member.model.not_after
        if end is None or end < now:
            continue
        days = (end - now).days
        message = f"{label(link.member.model, index)} expires in {days} days, on {end:%Y-%m-%d}"
        if days < settings.crit_days:
            yield flagless(index, "ExpiresSoon", message, "renew it now")
        elif days < settings.warn_days:
            yield warned(index, "ExpiresSoon", message, "renew it")


def _named(leaf: Member, name: str | None) -> tuple[bool | None, list[Finding]]:
    """Whether the name is in the certificate (None: none was asked for), and what is to be said of it."""
    if name is None:
        return None, []
    match = match_name(leaf.model, leaf.subject, name)
    if match is NameMatch.SAN:
        return True, []
    step = f"issue a certificate with the DNS name {name} among its alternative names, or use a name that it has"
    if match is NameMatch.COMMON_NAME:
        message = f"{name} is only in the common name, in no alternative name: Windows accepts it, others will refuse"
        return True, [finding(Severity.WARNING, "CommonNameOnly", message, step)]
    names = leaf.model.subject_alternative_names
    listed = [brief(item.value, 80) for item in names[:5]] or [brief(leaf.model.subject) or "no name at all"]
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    message = f"{name} is not in the certificate, which is for {', '.join(listed)}{more}"
    return False, [finding(Severity.ERROR, "NameMismatch", message, step, code="CERT_E_CN_NO_MATCH")]
