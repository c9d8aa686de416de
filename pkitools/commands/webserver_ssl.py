"""``pkitools test-ssl``: what a Windows SSTP client will think of a server."""

from __future__ import annotations

from typing import Annotated

import typer

from pkitools.models.outcome import Batch
from pkitools.models.revocation import RevocationMode
from pkitools.models.tls import WebServerSsl
from pkitools.tls.service import Service


def test_ssl(
    target: Annotated[
        list[str] | None,
        typer.Argument(help="host, host:port, [IPv6]:port, https://host:port/, an address or an IDN name."),
    ] = None,
    targets: Annotated[
        str | None, typer.Option("--targets", metavar="FILE", help="More targets, one per line; - is stdin.")
    ] = None,
    timeout: Annotated[float, typer.Option("--timeout", help="Seconds for one target, DNS to last byte.")] = 10.0,
    connect: Annotated[
        str | None,
        typer.Option("--connect", metavar="ADDR", help="Connect to this address; name and port are the target's."),
    ] = None,
    all_addresses: Annotated[
        bool, typer.Option("--all-addresses", help="Probe every A and AAAA address of the name.")
    ] = False,
    sni: Annotated[
        str | None, typer.Option("--sni", metavar="NAME|none", help="Send another server name, or none.")
    ] = None,
    proxy: Annotated[
        str | None,
        typer.Option(
            "--proxy",
            metavar="URL",
            help="http://host:port of a web proxy; credentials from PKITOOLS_PROXY_USER and PKITOOLS_PROXY_PASSWORD.",
        ),
    ] = None,
    tls_versions: Annotated[
        bool, typer.Option("--tls-versions", help="Find out every TLS version that the server accepts.")
    ] = False,
    ca_file: Annotated[
        list[str] | None,
        typer.Option("--ca-file", metavar="FILE", help="Trust these roots too (PEM, DER or PKCS #7); repeatable."),
    ] = None,
    revocation: Annotated[
        RevocationMode, typer.Option("--revocation", help="What to ask about revocation; the SSTP client asks CRLs.")
    ] = RevocationMode.CRL,
    service: Annotated[
        Service, typer.Option("--service", help="What the server is for; https does not ask for SSTP.")
    ] = Service.SSTP,
    http: Annotated[
        bool, typer.Option("--http", help="Show too what a load balancer's monitor sees (HEAD and GET).")
    ] = False,
    warn_days: Annotated[int, typer.Option("--warn-days", help="Days left at which expiry is a warning.")] = 30,
    crit_days: Annotated[int, typer.Option("--crit-days", help="Days left at which expiry is an error.")] = 7,
    concurrency: Annotated[int, typer.Option("--concurrency", help="Targets probed at the same time.")] = 32,
) -> Batch[WebServerSsl]:
    """Check what a Windows SSTP client will think of a server.

    Connects, reads the certificate whatever it is, judges chain, name, purpose and revocation as Windows does, and
    asks for an SSTP listener with a real call that it leaves at once (the server logs it). Every finding carries the
    Windows code that a client would show, and the next step.

    Probing needs no rights. Certificates of an enterprise CA need its root: --ca-file.

    \b
    Examples:
      pkitools test-ssl vpn.example.com
      pkitools test-ssl vpn.example.com --ca-file enterprise-root.cer --all-addresses
      pkitools test-ssl vpn.example.com --connect 10.0.0.11 --http --tls-versions
      pkitools test-ssl www.example.com --service https --warn-days 45
      pkitools test-ssl --targets hosts.txt -o ndjson
    """
    from pkitools.tls.options import ProbeOptions
    from pkitools.tls.run import ChainJudge, read_targets, run_batch

    options = ProbeOptions(
        timeout=timeout,
        connect=connect,
        all_addresses=all_addresses,
        sni=sni,
        proxy=proxy,
        tls_versions=tls_versions,
        service=service,
        http=http,
        warn_days=warn_days,
        crit_days=crit_days,
        concurrency=concurrency,
    )
    name = "standard input" if targets == "-" else targets or ""
    entries = read_targets(target or (), _read_list(targets), name)
    return run_batch(entries, options, ChainJudge(options, ca_file or (), revocation))


def _read_list(path: str | None) -> bytes | None:
    if path is None:
        return None
    if path == "-":
        import sys

        return sys.stdin.buffer.read()
    from pkitools.files.reading import read_capped

    return read_capped(path)
