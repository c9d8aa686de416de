"""``pkitools show``: what is in a file of keys or certificates, and who will open it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pkitools.commands.passwords import Given, PasswordEnv, PasswordFile, PasswordInsecure, given_passwords
from pkitools.errors import PkiToolsError
from pkitools.models.outcome import Batch, Notice, Outcome, failed
from pkitools.models.shown import FitFor, ShownFile

if TYPE_CHECKING:
    from pkitools.keystore.show import ShowOptions


def show(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="PFX, PEM, DER, P7B, CSR or CRL files.")],
    *,
    fit_for: Annotated[
        FitFor | None,
        typer.Option(
            "--for",
            help="Say whether the certificate is fit for this: usages, SID, name, chain.",
            case_sensitive=False,
            show_default=False,
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="With --for: the host name that the certificate must carry."),
    ] = None,
    ca_file: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="With --for: trust these roots too (PEM, DER, P7B); repeatable."),
    ] = None,
    ask: Annotated[
        bool, typer.Option("--ask/--no-ask", help="Ask for the password of a PFX when no option gives it.")
    ] = True,
    password_file: PasswordFile = None,
    password_env: PasswordEnv = None,
    password_insecure: PasswordInsecure = None,
    max_iterations: Annotated[
        int, typer.Option(min=1, help="Refuse a file that asks for more rounds of key derivation.")
    ] = 10_000_000,
) -> Batch[ShownFile]:
    """Show what is in a PFX, PEM, DER, P7B, CSR or CRL: certificates leaf to root, which key belongs to which, names,
    providers, algorithms. No key is ever written.

    For a PFX it predicts who will open it and why not: Windows Server, .NET with the limit that stops it, macOS, Java,
    OpenSSL, NSS, and which certificate each takes. Without the password it shows what the outside tells.

    Exit code 1 stands for findings (crossed key ids, nested safes, several keys, a SID in the wrong place, with --for
    what is not fit), not for a reader that will not open the file.

    \b
    Examples:
      pkitools show vpn.pfx
      pkitools show vpn.pfx --no-ask
      pkitools show user.cer --for aovpn-user
      pkitools show server.pfx --for rras --name vpn.example.com --password-file pw.txt
      pkitools show *.pfx --password-file passwords.txt -o json
    """
    from pkitools.keystore.show import ShowOptions

    given = given_passwords(
        len(files),
        password_file=password_file,
        password_env=password_env,
        password_insecure=password_insecure,
        prompt=ask and any(map(_wants_password, files)),
    )
    options = ShowOptions(fit_for, name, tuple(ca_file or ()), max_iterations)
    return Batch(len(files), _show(files, given, options))


def _wants_password(path: str) -> bool:
    """Whether a file is a PFX, so that it is worth to ask. What cannot be read is told later."""
    from pkitools.files.reading import read_capped
    from pkitools.protocol.formats import Format, sniff

    try:
        return sniff(read_capped(path)) is Format.PFX
    except PkiToolsError:
        return False


def _show(files: Sequence[str], given: Given, options: ShowOptions) -> Iterator[Outcome[ShownFile] | Notice]:
    from pkitools.files.reading import read_capped
    from pkitools.keystore.show import show_data

    yield from given.notices
    for index, path in enumerate(files):
        try:
            yield show_data(path, read_capped(path), given.of_file(index), options)
        except PkiToolsError as error:
            yield failed(path, error)
