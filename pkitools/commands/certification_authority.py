"""``pkitools get-ca``: the CAs of a forest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from pkitools.commands.credentials import Connection, with_connection
from pkitools.models.ca import CertificationAuthority
from pkitools.models.outcome import Notice, Outcome


@with_connection
def get_ca(
    connection: Connection,
    computer_name: Annotated[
        str, typer.Option("--computer-name", metavar="PATTERN", help="Only CAs on such hosts; wildcards * ? [].")
    ] = "*",
    name: Annotated[
        str, typer.Option("--name", metavar="PATTERN", help="Only CAs of such a name (plain or sanitized).")
    ] = "*",
    enterprise: Annotated[bool, typer.Option("--enterprise", help="Only enterprise CAs.")] = False,
    standalone: Annotated[bool, typer.Option("--standalone", help="Only standalone CAs.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Add findings: certificate, NTAuth, chain, CDP and AIA, templates, host.")
    ] = False,
    directory_only: Annotated[
        bool, typer.Option("--directory-only", help="Ask the directory and no CA's host.")
    ] = False,
) -> Iterator[Outcome[CertificationAuthority] | Notice]:
    """List the enterprise and standalone CAs that Active Directory knows.

    Every CA is asked itself, all at the same time: IsAccessible says whether ICertRequest answers your account, and why
    not; type, certificates and their states are then the CA's own words, else the directory's. A plain account is
    enough. Hosts that the directory named are logged on to with Kerberos, with NTLM only with --auth ntlm; without a
    possible logon port 135 decides. A CA that does not answer is a property; with --check it is a finding.

    \b
    Examples:
      pkitools get-ca
      pkitools get-ca --domain ad.example.com --user alice@ad.example.com --check
      pkitools get-ca --computer-name "ca0?.*" --enterprise -o json
      pkitools get-ca -o json | pkitools get-ca-template -
    """
    from pkitools.adcs import service
    from pkitools.commands.directory_notices import notices

    yield from notices(connection)
    yield from service.get_ca(
        connection.address,
        connection.credentials,
        computer_name=computer_name,
        name=name,
        enterprise=enterprise,
        standalone=standalone,
        check=check,
        directory_only=directory_only,
        timeout=connection.timeout,
    )
