"""The judge of IKE servers' certificates: ``trust`` with what all hosts of a run share."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

from pkitools.errors import FormatError, ProtocolError
from pkitools.models.revocation import RevocationMode
from pkitools.models.trust import Judgement, Purpose
from pkitools.protocol.names import read_x500
from pkitools.protocol.x509 import split_certificate
from pkitools.transport.deadline import Deadline
from pkitools.transport.http import HttpFetcher
from pkitools.trust import Settings, Sources, judge, system_store
from pkitools.trust.store import read_ca_file

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


def authority_names(ca_files: Sequence[str]) -> dict[bytes, str]:
    """The subjects of the user's CAs by what a CERTREQ calls them: the SHA-1 of SubjectPublicKeyInfo (RFC 7296 3.7).

    Raises FileAccessError and FormatError.
    """
    parts = [split_certificate(der) for name in ca_files for der in read_ca_file(Path(name))]
    return {hashlib.sha1(item.spki.encoded).digest(): read_x500(item.subject) for item in parts}
