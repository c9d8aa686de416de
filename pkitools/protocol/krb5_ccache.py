"""Writing a Kerberos credential cache in MIT's file format, version 4 (MIT krb5, "Credential cache file format")."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

_VERSION = b"\x05\x04"
_NO_HEADER = b"\x00\x00"


@dataclass(frozen=True, slots=True)
class PrincipalName:
    """A principal (RFC 4120 6.2): the type of the name, its realm and its components."""

    name_type: int
    realm: bytes
    components: tuple[bytes, ...]

    def pack(self) -> bytes:
        """As it stands in a credential cache."""
        parts = [struct.pack(">II", self.name_type, len(self.components)), _data(self.realm)]
        return b"".join([*parts, *(_data(item) for item in self.components)])


@dataclass(frozen=True, slots=True)
class TicketRecord:
    """A ticket with its session key. Times are aware; ``flags`` are the TicketFlags of RFC 4120 5.3, bit 0 highest."""

    client: PrincipalName
    server: PrincipalName
    enctype: int
    session_key: bytes
    auth_time: datetime
    start_time: datetime
    end_time: datetime
    renew_till: datetime | None
    flags: int
    ticket: bytes

    def pack(self) -> bytes:
        """As it stands in a credential cache."""
        times = (self.auth_time, self.start_time, self.end_time, self.renew_till)
        return b"".join(
            (
                self.client.pack(),
                self.server.pack(),
                struct.pack(">H", self.enctype),
                _data(self.session_key),
                *(struct.pack(">I", int(item.timestamp()) & 0xFFFFFFFF if item else 0) for item in times),
                struct.pack(">BIII", 0, self.flags, 0, 0),  # no session key of a user, no addresses, no authdata
                _data(self.ticket),
                _data(b""),
            )
        )


def pack_cache(owner: PrincipalName, tickets: Sequence[TicketRecord]) -> bytes:
    """A whole cache file."""
    return b"".join((_VERSION, _NO_HEADER, owner.pack(), *(ticket.pack() for ticket in tickets)))


def _data(content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + content
