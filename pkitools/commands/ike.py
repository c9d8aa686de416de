"""``pkitools test-ike``: what an IKEv2 server accepts and shows."""

from __future__ import annotations

from typing import Annotated

import typer

from pkitools.models.ike import IkeServer
from pkitools.models.outcome import Batch
from pkitools.models.revocation import RevocationMode


def test_ike(
    host: Annotated[list[str] | None, typer.Argument(help="Name or address of an IKEv2 server.")] = None,
    targets: Annotated[
        str | None, typer.Option("--targets", metavar="FILE", help="More hosts, one per line; - is stdin.")
    ] = None,
    timeout: Annotated[float, typer.Option("--timeout", help="Seconds for one host, all questions together.")] = 10.0,
    fast: Annotated[
        bool,
        typer.Option("--fast", help="Make real offers: three packets for one policy, but a half-open SA stays behind."),
    ] = False,
    expect: Annotated[
        str | None,
        typer.Option(
            "--expect",
            metavar="BASELINE|FILE",
            help="Policy that must be accepted: windows-default, windows11-default, aovpn-standard, aovpn-enhanced, "
            "or a file with a policy as compare-ipsec reads it. Weak policies beyond it are a finding.",
        ),
    ] = None,
    entry: Annotated[
        str | None, typer.Option("--entry", metavar="NAME", help="Connection to take from the phonebook of --expect.")
    ] = None,
    certificate: Annotated[
        bool, typer.Option("--certificate", help="Fetch the server's certificate (IKE_AUTH for EAP) and judge it.")
    ] = False,
    name: Annotated[
        str | None, typer.Option("--name", help="Name that clients use; must stand in the certificate.")
    ] = None,
    ca_file: Annotated[
        list[str] | None,
        typer.Option(
            "--ca-file",
            metavar="FILE",
            help="Trust these roots too (PEM, DER or PKCS #7), and name them among the CAs that the server asks for.",
        ),
    ] = None,
    revocation: Annotated[
        RevocationMode, typer.Option("--revocation", help="What to ask about the certificate's revocation.")
    ] = RevocationMode.CRL,
    warn_days: Annotated[int, typer.Option("--warn-days", help="Days left at which expiry is a warning.")] = 30,
    crit_days: Annotated[int, typer.Option("--crit-days", help="Days left at which expiry is an error.")] = 7,
) -> Batch[IkeServer]:
    """Find out which IKE policies an IKEv2 server accepts: the way to Windows error 13868.

    Asks for each of the 168 IKE policies that Windows can express, on UDP 500, and whether UDP 4500 answers (809).
    The questions leave no half-open security association on the server. With --certificate also the server's
    certificate (13801, 13806), judged as Windows does.

    Needs no rights, no credentials and no free port 500 on this machine. The child SA's policy, the NPS policy and
    lifetimes cannot be seen without credentials.

    \b
    Examples:
      pkitools test-ike vpn.example.com
      pkitools test-ike vpn.example.com --expect aovpn-standard
      pkitools test-ike vpn.example.com --certificate --ca-file enterprise-root.cer
      pkitools test-ike 10.0.0.11 10.0.0.12 --name vpn.example.com --certificate -o csv
      pkitools test-ike --targets hosts.txt --fast -o ndjson
    """
    from pkitools.aovpn.ike.run import all_targets, test_ike_batch

    return test_ike_batch(
        all_targets(host or (), _read_list(targets)),
        timeout=timeout,
        fast=fast,
        expect=expect,
        entry=entry,
        certificate=certificate,
        name=name,
        ca_files=tuple(ca_file or ()),
        revocation=revocation,
        warn_days=warn_days,
        crit_days=crit_days,
    )


def _read_list(path: str | None) -> str | None:
    if path is None:
        return None
    from pkitools.files.text import decode_text

    if path == "-":
        import sys

        return decode_text(sys.stdin.buffer.read())
    from pkitools.files.reading import read_capped

    return decode_text(read_capped(path))
