"""``pkitools ping-ca``: does a CA answer over DCOM, and if not, why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from pkitools.commands.credentials import Connection, with_connection
from pkitools.models.ca_ping import CaPing
from pkitools.models.outcome import Batch, Notice, Outcome


@with_connection
def ping_ca(
    connection: Connection,
    ca: Annotated[
        list[str],
        typer.Argument(
            metavar="CA...", help="host, host\\name, a CA's name, a wildcard; - reads what get-ca or PowerShell wrote."
        ),
    ],
    admin: Annotated[bool, typer.Option("--admin/--no-admin", help="Ask ICertAdmin too.")] = True,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show ports, interfaces, opnums: what firewalls and RPC filters see.")
    ] = False,
    address: Annotated[
        str | None, typer.Option("--address", metavar="ADDR", help="Connect to this address; the name stays the SPN.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option("--port", min=1, max=65535, help="The CA's static endpoint, in place of the port that it names."),
    ] = None,
) -> Batch[CaPing]:
    """Ping the ICertRequest and ICertAdmin interfaces of CAs over DCOM, and say why one does not answer.

    Alive means, as in PSPKI, that the product version can be read through the interface. Every answer is sealed and
    verified. A plain user who may enroll but not read is refused by ICertAdmin: that is a note, no sign of a sick CA.
    When the logon fails, questions without a logon still tell whether RPC answers and certsvc is registered.

    \b
    Examples:
      pkitools ping-ca ca01.ad.example.com --user alice@ad.example.com
      pkitools ping-ca "ca01.ad.example.com\\Example Issuing CA" --no-admin --explain
      pkitools ping-ca "Example*" --domain ad.example.com
      pkitools get-ca -o json | pkitools ping-ca -
    """
    from pkitools.adcs.ping_many import PingOptions
    from pkitools.adcs.ping_service import ping_ca as ping
    from pkitools.commands.ca_targets import read_targets

    targets = read_targets(ca)
    options = PingOptions(timeout=connection.timeout, admin=admin, address=address, static_port=port, explain=explain)
    batch = ping(targets, connection.address, connection.credentials, options) if targets else Batch[CaPing](0, ())

    def run() -> Iterator[Outcome[CaPing] | Notice]:
        yield from connection.notices
        yield from batch.outcomes  # type: ignore[misc]

    return Batch(batch.total, run())
