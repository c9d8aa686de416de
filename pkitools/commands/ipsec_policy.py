"""compare-ipsec: the IPsec policies of a VPN client and a server side by side."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from pkitools.models.ipsec_comparison import PolicyComparison
from pkitools.models.outcome import Outcome


def compare_ipsec(
    client: Annotated[
        str, typer.Argument(metavar="CLIENT", help="ProfileXML, rasphone.pbk, PowerShell output, log, or a baseline.")
    ],
    server: Annotated[
        str,
        typer.Argument(
            metavar="SERVER",
            help="PowerShell output, swanctl.conf, ipsec.conf, log, baseline, or ike:HOST to probe it.",
        ),
    ],
    *,
    entry: Annotated[
        str | None, typer.Option("--entry", "-e", metavar="NAME", help="The entry of the phonebook.")
    ] = None,
    connection: Annotated[
        str | None, typer.Option("--connection", metavar="NAME", help="The connection in swanctl.conf or ipsec.conf.")
    ] = None,
    timeout: Annotated[float, typer.Option("--timeout", help="Seconds for the probe of ike:HOST.")] = 10.0,
) -> Iterator[Outcome[PolicyComparison]]:
    """Compare the IPsec policies of client and server: the way to error 13868.

    CLIENT is a ProfileXML, a phonebook, or the output of (Get-VpnConnection NAME).IPsecCustomPolicy; SERVER the output
    of Get-VpnServerIPsecConfiguration, a configuration of strongSwan or Libreswan, or ike:HOST, which is probed.
    Outputs may be text, JSON, CSV or CLIXML, in UTF-8 or UTF-16, with prompts and headings around them; - is standard
    input. Either side may be a log of charon or pluto, or a name: windows-default, windows11-default, aovpn-standard,
    aovpn-enhanced. An output without a policy means the Windows default.

    Every field is compared, also the PRF that GCM hides, and the commands that mend client and server are shown. Exit
    code 0 when the tunnel comes up, 1 when it does not.

    \b
    Examples:
      pkitools compare-ipsec ProfileXML_User.xml server.txt
      pkitools compare-ipsec rasphone.pbk ike:vpn.example.com --entry "Always On VPN"
      pkitools compare-ipsec windows11-default aovpn-enhanced
      pkitools compare-ipsec charon.log swanctl.conf --connection aovpn
    """
    from pkitools.aovpn.compare import compare_ipsec as compare

    content = _standard_input() if "-" in (client, server) else None
    yield compare(client, server, entry=entry, connection=connection, timeout=timeout, standard_input=content)


def _standard_input() -> bytes:
    import sys

    from pkitools.aovpn.policy_sources.reading import MAX_SOURCE_BYTES

    return sys.stdin.buffer.read(MAX_SOURCE_BYTES)
