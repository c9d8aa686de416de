"""What every command on the directory says beside its results."""

from __future__ import annotations

from collections.abc import Iterator

from pkitools.commands.credentials import Connection
from pkitools.models.outcome import Notice


def notices(connection: Connection) -> Iterator[Notice]:
    """The connection's own, and that a global catalog is no place for settings."""
    yield from connection.notices
    if connection.address.global_catalog:
        yield Notice(
            "a global catalog holds only some attributes of CAs and templates: what is missing here may be there; "
            "ask a domain controller without --gc"
        )
