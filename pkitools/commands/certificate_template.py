"""``pkitools get-template``: the certificate templates of a forest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from pkitools.commands.credentials import Connection, with_connection
from pkitools.models.outcome import Notice, Outcome
from pkitools.models.template import CertificateTemplate


@with_connection
def get_template(
    connection: Connection,
    name: Annotated[
        list[str] | None, typer.Option("--name", metavar="PATTERN", help="Common name; wildcards * ? []. Repeatable.")
    ] = None,
    display_name: Annotated[
        list[str] | None, typer.Option("--display-name", metavar="PATTERN", help="Display name. Repeatable.")
    ] = None,
    oid: Annotated[list[str] | None, typer.Option("--oid", metavar="PATTERN", help="OID. Repeatable.")] = None,
    always_on_vpn: Annotated[
        bool, typer.Option("--aovpn", help="Mark what Always On VPN can use, and say what speaks against it.")
    ] = False,
) -> Iterator[Outcome[CertificateTemplate] | Notice]:
    """Show certificate templates: settings, publishing CAs, and who may enroll.

    All settings are decoded; the access list names each principal with its rights, and CanEnroll and CanAutoenroll say
    what your own account may do. --aovpn judges templates for VPN users, devices, VPN servers and NPS, the SID that
    strong certificate mapping (KB5014754) needs included.

    \b
    Examples:
      pkitools get-template
      pkitools get-template --name WebServer --name "AOVPN*"
      pkitools get-template --display-name "Always On VPN*" --aovpn
      pkitools get-template -o json --user alice@ad.example.com --password-file secret.txt
    """
    from pkitools.adcs import service
    from pkitools.commands.directory_notices import notices

    yield from notices(connection)
    yield from service.get_template(
        connection.address,
        connection.credentials,
        names=name or (),
        display_names=display_name or (),
        oids=oid or (),
        always_on_vpn=always_on_vpn,
        timeout=connection.timeout,
    )
