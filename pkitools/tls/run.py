"""``test_ssl``: many targets at once, each probed and judged under its own deadline."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from pkitools.errors import FormatError, InputError, PkiToolsError, ProtocolError
from pkitools.files.text import decode_text, encoding_of
from pkitools.models.outcome import Batch, Outcome, failed
from pkitools.models.revocation import RevocationMode
from pkitools.models.tls import Sstp, SstpVerdict, WebServerSsl
from pkitools.models.trust import Judgement, Purpose
from pkitools.tls.concurrency import Side, in_input_order
from pkitools.tls.options import ProbeOptions
from pkitools.tls.probe import Address, Follow, Probe, find_addresses
from pkitools.tls.report import Seen, build_outcome
from pkitools.tls.service import Service
from pkitools.tls.targets import Target, parse_target, read_target_lines
from pkitools.transport.deadline import Deadline
from pkitools.transport.http import HttpFetcher
from pkitools.transport.tls import Session
from pkitools.trust import Settings, Sources, judge, system_store

Entry = tuple[str, Target | InputError]
"""A target as written, and what it means: or why it means nothing."""


class ChainJudge:
    """``trust`` with what all targets of a run share: the store, what was fetched, the purpose."""

    def __init__(self, options: ProbeOptions, ca_files: Sequence[str], revocation: RevocationMode) -> None:
        """Reads the store. Raises FileAccessError and FormatError for ``ca_files``."""
        self.store = system_store([Path(name) for name in ca_files])
        self._purpose = Purpose.SSTP_SERVER if options.service is Service.SSTP else Purpose.WEB_SERVER
        self._settings = Settings(
            store=self.store,
            sources=Sources(HttpFetcher(options.web_proxy)),
            revocation=revocation,
            warn_days=options.warn_days,
            crit_days=options.crit_days,
        )

    def __call__(self, session: Session, name: str, deadline: Deadline) -> Judgement:
        """The verdict on a chain as sent. Raises ProtocolError when its leaf is no certificate."""
        try:
            return judge(
                session.chain,
                self._purpose,
                self._settings,
                name=name,
                staple=session.ocsp_response,
                deadline=deadline,
            )
        except FormatError as error:
            raise ProtocolError(f"the server's certificate is malformed: {error.message}", code=error.code) from error


def test_ssl(
    targets: str | Iterable[str],
    *,
    timeout: float = 10.0,
    connect: str | None = None,
    all_addresses: bool = False,
    sni: str | None = None,
    proxy: str | None = None,
    tls_versions: bool = False,
    ca_files: Sequence[str] = (),
    revocation: RevocationMode | str = RevocationMode.CRL,
    service: Service | str = Service.SSTP,
    http: bool = False,
    warn_days: int = 30,
    crit_days: int = 7,
    concurrency: int = 32,
) -> Iterator[Outcome[WebServerSsl]]:
    """Probes servers and judges them as a Windows SSTP client would; one outcome for each target, in their order.

    A target that cannot be read or does not answer is an outcome too. Raises InputError when an option is out of
    range, FileAccessError and FormatError for ``ca_files``. The arguments are those of ``pkitools test-ssl``.
    """
    options = ProbeOptions(
        timeout=timeout,
        connect=connect,
        all_addresses=all_addresses,
        sni=sni,
        proxy=proxy,
        tls_versions=tls_versions,
        service=Service(service),
        http=http,
        warn_days=warn_days,
        crit_days=crit_days,
        concurrency=concurrency,
    )
    names = (targets,) if isinstance(targets, str) else tuple(targets)
    verdict_on = ChainJudge(options, ca_files, RevocationMode(revocation))
    return _stream([_entry(name) for name in names], options, verdict_on)


def read_targets(named: Sequence[str], listed: bytes | None, list_name: str) -> list[Entry]:
    """The targets of the command line and of a list. Raises InputError when there is none."""
    entries = [_entry(name) for name in named]
    if listed is not None:
        if encoding_of(listed)[0] == "latin-1":
            raise FormatError(f"the list of targets {list_name!r} is neither UTF-8 nor UTF-16 text")
        lines = read_target_lines(decode_text(listed))
        entries += [_entry(name, f"line {number} of {list_name}: ") for number, name in lines]
    if not entries:
        raise InputError("no target given", hint="name a server, or a list of them with --targets")
    return entries


def run_batch(entries: Sequence[Entry], options: ProbeOptions, verdict_on: ChainJudge) -> Batch[WebServerSsl]:
    """The outcomes of many targets as they come, with their number for a progress bar."""
    return Batch(len(entries), _stream(entries, options, verdict_on))


def _entry(text: str, where: str = "") -> Entry:
    try:
        return text, parse_target(text)
    except InputError as error:
        error.message = where + error.message
        return text, error


def _stream(entries: Sequence[Entry], options: ProbeOptions, verdict_on: ChainJudge) -> Iterator[Outcome[WebServerSsl]]:
    workers = min(options.concurrency, max(1, len(entries)))
    return in_input_order(entries, lambda entry: _examine(entry, options, verdict_on), workers)


def _examine(entry: Entry, options: ProbeOptions, verdict_on: ChainJudge) -> Outcome[WebServerSsl]:
    text, target = entry
    if isinstance(target, InputError):
        return failed(text, target)
    deadline = Deadline(options.timeout)
    try:
        opened = _open_all(target, options, find_addresses(target, options, deadline), deadline)
        return _judge_and_follow(target, options, opened, verdict_on, deadline)
    except PkiToolsError as error:
        return failed(text, error)


def _open_all(
    target: Target, options: ProbeOptions, addresses: Sequence[Address], deadline: Deadline
) -> list[tuple[Address, Probe | PkiToolsError]]:
    """The handshake with each address, side by side. Raises the first error when no certificate was seen at all."""

    def open_one(address: Address) -> Probe | PkiToolsError:
        try:
            return Probe(target, options, address, deadline)
        except PkiToolsError as error:
            return error

    if len(addresses) == 1:
        opened = [(addresses[0], open_one(addresses[0]))]
    else:
        sides = [(address, Side(partial(open_one, address))) for address in addresses]
        opened = [(address, side.wait(deadline, partial(_late, deadline))) for address, side in sides]
    errors = [(address, item) for address, item in opened if isinstance(item, PkiToolsError)]
    if len(errors) == len(opened):
        error = errors[0][1]
        if len(errors) > 1:
            error.message = "; ".join(f"{address.label}: {item.message}" for address, item in errors)
        raise error
    return opened


def _judge_and_follow(
    target: Target,
    options: ProbeOptions,
    opened: Sequence[tuple[Address, Probe | PkiToolsError]],
    verdict_on: ChainJudge,
    deadline: Deadline,
) -> Outcome[WebServerSsl]:
    """What follows the handshake runs beside the judging: neither may eat the other's time."""
    sides = {index: Side(item.follow) for index, (_, item) in enumerate(opened) if isinstance(item, Probe)}
    judgements: dict[tuple[bytes, ...], tuple[str, Judgement]] = {}
    for _, item in opened:
        if isinstance(item, Probe) and item.session.chain not in judgements:
            verdict = verdict_on(item.session, target.host, deadline)
            judgements[item.session.chain] = (item.label, verdict)
    seen = []
    for index, (address, item) in enumerate(opened):
        if isinstance(item, Probe):
            seen.append(Seen(item.label, item, sides[index].wait(deadline, _not_answered)))
        else:
            seen.append(Seen(address.label, error=item))
    return build_outcome(target, options, seen, list(judgements.values()))


def _not_answered() -> Follow:
    return Follow(Sstp(SstpVerdict.SILENT, "no answer within the deadline"))


def _late(deadline: Deadline) -> PkiToolsError:
    try:
        deadline.require("waiting for the TLS handshake")
    except PkiToolsError as error:
        return error
    raise AssertionError("asked before the deadline")  # Side.wait calls this after it only
