"""``pkitools get-ca-template``: what CAs publish, and who may enroll."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from pkitools.commands.credentials import Connection, with_connection
from pkitools.models.ca import CATemplate
from pkitools.models.outcome import Notice, Outcome


@with_connection
def get_ca_template(
    connection: Connection,
    ca: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[CA]...",
            help="A CA's name, host, host\\name or a wildcard; - reads what get-ca wrote. Default: all.",
        ),
    ] = None,
    directory_only: Annotated[
        bool, typer.Option("--directory-only", help="Ask the directory and no CA's host.")
    ] = False,
) -> Iterator[Outcome[CATemplate] | Notice]:
    """List the certificate templates that CAs publish, and what your account may do with them.

    The directory's list is held against the CA's own, where the CA can be asked (Kerberos, or --auth ntlm).
    A template that was deleted from the directory is listed as missing. CanEnroll and CanAutoenroll are rights, on the
    template and on the CA together; whether autoenrollment is switched on is AutoenrollmentAllowed.

    \b
    Examples:
      pkitools get-ca-template
      pkitools get-ca-template "Example Issuing CA" --user alice@ad.example.com
      pkitools get-ca-template "ca01*" -o json
      pkitools get-ca --enterprise -o json | pkitools get-ca-template -
    """
    from pkitools.adcs import service
    from pkitools.commands.ca_targets import read_targets
    from pkitools.commands.directory_notices import notices

    yield from notices(connection)
    targets = read_targets(ca or [])
    if targets is not None:
        yield from service.get_ca_template(
            targets,
            connection.address,
            connection.credentials,
            directory_only=directory_only,
            timeout=connection.timeout,
        )
