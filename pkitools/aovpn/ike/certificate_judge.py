"""The judge of IKE servers' certificates: ``trust`` with what all hosts of a run share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from pkitools.errors import FormatError, ProtocolError
from pkitools.models.trust import Judgement, Purpose, RevocationMode
from pkitools.transport.deadline import Deadline
from pkitools.transport.http import HttpFetcher
from pkitools.trust import Settings, Sources, judge, system_store

CertificateJudge = Callable[[Sequence[bytes], str, Deadline], Judgement | ProtocolError]
"""Chain as sent, host, deadline: the judgement, or why the leaf is no certificate."""

_AT_LEAST = 1.0


def certificate_judge(
    ca_files: Sequence[str], revocation: RevocationMode, warn_days: int, crit_days: int, name: str | None
) -> CertificateJudge:
    """The judge; ``name`` is what clients call the servers (None: as the targets are named).

    Raises FileAccessError and FormatError for ``ca_files``.
    """
    settings = Settings(
        store=system_store([Path(item) for item in ca_files]),
        sources=Sources(HttpFetcher()),
        revocation=revocation,
        warn_days=warn_days,
        crit_days=crit_days,
    )

    def judged(chain: Sequence[bytes], host: str, deadline: Deadline) -> Judgement | ProtocolError:
        left = deadline if deadline.remaining() > _AT_LEAST else Deadline(_AT_LEAST)
        try:
            return judge(chain, Purpose.IKE_SERVER, settings, name=name or host, deadline=left)
        except FormatError as error:
            malformed = ProtocolError(f"the server's certificate is malformed: {error.message}", code=error.code)
            malformed.__cause__ = error
            return malformed

    return judged
