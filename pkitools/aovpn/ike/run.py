"""``test-ike``: many hosts at once in one loop, certificates judged beside it, outcomes in the order of the hosts."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from pkitools.aovpn.ike.probe import DEFAULT_TIMEOUT, HostProbe, PortState, ProbeOptions
from pkitools.aovpn.ike.report import outcome_of
from pkitools.errors import InputError, NoAnswerError, PkiToolsError, ProtocolError
from pkitools.models.ike import IkeServer
from pkitools.models.ipsec import IkePolicy
from pkitools.models.outcome import Batch, Outcome, failed
from pkitools.models.revocation import RevocationMode
from pkitools.transport.udp import AddressLookup, Conversations

if TYPE_CHECKING:
    from concurrent.futures import Future

    from pkitools.aovpn.ike.certificate_judge import CertificateJudge
    from pkitools.aovpn.ike.judging import Expectation
    from pkitools.models.trust import Judgement

_MAX_JUDGES: Final = 16
MAX_TIMEOUT: Final = 3600.0
_LEAST: Final = 0.1
_HOST: Final = re.compile(r"[A-Za-z0-9._-]{1,253}|[0-9A-Fa-f:.]{2,45}(%[A-Za-z0-9._-]{1,32})?")


class _Part(Enum):
    """The conversations of one host."""

    FIRST = 500
    NAT_T = 4500
    CERTIFICATE = 0


_Key = tuple[int, _Part]


def probe_hosts(
    targets: Sequence[str], options: ProbeOptions, judge: CertificateJudge | None = None
) -> Iterator[Outcome[IkeServer]]:
    """The outcome of every host, in the order in which they are named.

    A target that is no host, does not resolve or does not answer is an outcome too.
    """
    run = _Run(targets, options, judge)
    ready: dict[int, Outcome[IkeServer]] = {}
    position = 0
    for index, outcome in run.outcomes():
        ready[index] = outcome
        while position in ready:
            yield ready.pop(position)
            position += 1


def test_ike(
    targets: str | Iterable[str],
    *,
    timeout: float = DEFAULT_TIMEOUT,
    fast: bool = False,
    expect: str | None = None,
    entry: str | None = None,
    certificate: bool = False,
    name: str | None = None,
    ca_files: Sequence[str] = (),
    revocation: RevocationMode | str = RevocationMode.CRL,
    warn_days: int = 30,
    crit_days: int = 7,
) -> Iterator[Outcome[IkeServer]]:
    """Which IKE policies that Windows can express do these servers accept? One outcome for each, in their order.

    The arguments are those of ``pkitools test-ike``. Raises InputError for an unknown baseline or a timeout out of
    range, FileAccessError and FormatError for ``ca_files`` and the file of ``expect``.
    """
    if not 0 < timeout <= MAX_TIMEOUT:
        raise InputError(f"a timeout of {timeout:g} s", hint=f"give more than 0 and at most {MAX_TIMEOUT:g} seconds")
    options = ProbeOptions(
        timeout=timeout,
        fast=fast,
        certificate=certificate,
        expectation=_expectation(expect, entry) if expect is not None else None,
    )
    names = (targets,) if isinstance(targets, str) else tuple(targets)
    if not certificate and not ca_files:
        return probe_hosts(names, options)
    from pkitools.aovpn.ike.certificate_judge import authority_names, certificate_judge

    options = replace(options, authority_names=authority_names(ca_files))
    judge = certificate_judge(ca_files, RevocationMode(revocation), warn_days, crit_days, name)
    return probe_hosts(names, options, judge if certificate else None)


def _expectation(text: str, entry: str | None) -> Expectation:
    from pkitools.aovpn.ike.expect import read_expectation

    return read_expectation(text, entry)


def test_ike_batch(targets: Sequence[str], **options: Any) -> Batch[IkeServer]:
    """``test_ike`` with the number of its outcomes, for a progress bar."""
    return Batch(len(targets), test_ike(targets, **options))


def accepted_policies(host: str, *, timeout: float = DEFAULT_TIMEOUT) -> tuple[IkePolicy, ...]:
    """The Windows IKE policies that a server accepts; empty when it rejects them all.

    Raises a PkiToolsError when that could not be found out completely.
    """
    outcome = next(probe_hosts((host,), ProbeOptions(timeout=timeout)))
    reason = outcome.reason
    if reason is not None:
        raise NoAnswerError(f"{host}: {reason.message}", hint=reason.next_step, code=reason.code, error_id=reason.id)
    return outcome.value.accepted_policies if outcome.value is not None else ()


class _Run:
    """All hosts of one call."""

    def __init__(self, targets: Sequence[str], options: ProbeOptions, judge: CertificateJudge | None) -> None:
        self._targets = targets
        self._options = options
        self._judge = judge
        self._failed: dict[int, Outcome[IkeServer]] = {}
        self._probes: dict[int, HostProbe] = {}
        self._conversations: Conversations[_Key, None] = Conversations()
        self._hosts: dict[str, list[int]] = {}
        for index, target in enumerate(targets):
            try:
                self._hosts.setdefault(host_of(target), []).append(index)
            except InputError as error:
                self._failed[index] = failed(target, error)
        self._began = time.monotonic()
        self._lookup = AddressLookup(self._hosts, options.timeout)

    def _start_resolved(self) -> bool:
        """Starts the hosts whose address is there by now; returns whether others may follow."""
        for host, address in self._lookup.ready():
            for index in self._hosts[host]:
                if isinstance(address, PkiToolsError):
                    self._failed[index] = failed(self._targets[index], address)
                else:
                    left = max(_LEAST, self._options.timeout - (time.monotonic() - self._began))  # after the lookup
                    self._start(index, HostProbe.new(self._targets[index], host, address, self._options, left))
        return self._lookup.pending

    def _start(self, index: int, probe: HostProbe) -> None:
        self._probes[index] = probe
        self._conversations.start((index, _Part.FIRST), probe.address, probe.search(probe.first), probe.seconds)
        self._conversations.start((index, _Part.NAT_T), probe.address, probe.knock(probe.nat_t), probe.seconds)

    def outcomes(self) -> Iterator[tuple[int, Outcome[IkeServer]]]:
        """Each host's outcome as it is known; those with a certificate once all conversations are over."""
        waiting: dict[int, Future[Judgement | ProtocolError]] = {}
        pool = None
        for index in self._finished():
            while self._failed:
                yield self._failed.popitem()
            probe = self._probes[index]
            if self._judge is None or probe.proof is None or not probe.proof.chain:
                yield index, outcome_of(probe, None)
                continue
            if pool is None:
                from concurrent.futures import ThreadPoolExecutor

                pool = ThreadPoolExecutor(_MAX_JUDGES)
            waiting[index] = pool.submit(self._judge, probe.proof.chain, probe.host, probe.deadline)
        yield from self._failed.items()
        for index, future in waiting.items():
            yield index, outcome_of(self._probes[index], future.result())
        if pool is not None:
            pool.shutdown()

    def _finished(self) -> Iterator[int]:
        for item in self._conversations.finished(self._start_resolved):
            index, part = item.key
            probe = self._probes[index]
            if part is _Part.CERTIFICATE:
                probe.certificate_error = item.error
                yield index
                continue
            state = probe.nat_t if part is _Part.NAT_T else probe.first
            state.done, state.error = True, item.error
            if not (probe.first.done and probe.nat_t.done) or self._continued(index, probe):
                continue
            yield index

    def _continued(self, index: int, probe: HostProbe) -> bool:
        """Starts what follows on both ports' first answers, if anything does."""
        left = probe.deadline.remaining()
        if probe.needs_search_on_nat_t():
            state: PortState = probe.nat_t
            state.done = False
            self._conversations.start((index, _Part.NAT_T), probe.address, probe.search(state), left)
            return True
        if probe.needs_certificate():
            self._conversations.start((index, _Part.CERTIFICATE), probe.address, probe.fetch_certificate, left)
            return True
        return False


def host_of(target: str) -> str:
    """The host that a target names: a name in ASCII or an address without brackets. Raises InputError."""
    text = target.strip()
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1]
    if not text.isascii():
        from pkitools.trust.names import ascii_name

        text = ascii_name(text)
    if not _HOST.fullmatch(text):
        raise InputError(f"{target!r} is not a host name or an address", hint="write vpn.example.com, 192.0.2.1 or ::1")
    return text


def hosts_of_list(text: str) -> tuple[str, ...]:
    """The hosts of a list, one per line; ``#`` begins a comment."""
    return tuple(host for line in text.splitlines() if (host := line.split("#", 1)[0].strip()))


def all_targets(named: Iterable[str], listed: str | None) -> tuple[str, ...]:
    """Named targets and those of a list. Raises InputError when there is none."""
    targets = (*named, *hosts_of_list(listed or ""))
    if not targets:
        raise InputError("no host given", hint="name a server, or a list of them with --targets")
    return targets
