"""``pkitools pfx-to-pem``: a PFX as the PEM files that a program or device wants."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from pkitools.commands.passwords import (
    Given,
    PasswordEnv,
    PasswordFile,
    PasswordInsecure,
    given_passwords,
    input_passwords,
)
from pkitools.errors import InputError, PkiToolsError
from pkitools.models.conversion import ChainChoice, KeyFormat, Layout, PfxToPemResult
from pkitools.models.outcome import Batch, Notice, Outcome, RawOutput, failed, judged

if TYPE_CHECKING:
    from pkitools.keystore.convert import PemOptions
    from pkitools.models.secret import Secret

_CHOICE = "Which key and certificates"
_Item = Outcome[PfxToPemResult] | Notice | RawOutput


def pfx_to_pem(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="PFX files; any other input with a key is read too.")
    ],
    *,
    out: Annotated[
        str | None,
        typer.Option(
            "--out",
            "-O",
            metavar="PATH",
            help="Folder (it exists, or a / at the end) or file to write; - is stdout. Default: the current folder.",
            show_default=False,
        ),
    ] = None,
    layout: Annotated[
        Layout, typer.Option(help="Which files, with what in which order (docs: convert).", case_sensitive=False)
    ] = Layout.SINGLE,
    key_format: Annotated[
        KeyFormat | None,
        typer.Option(
            help="Form of the key: PKCS #8, PKCS #1 (RSA), SEC 1 (EC), or PKCS #8 encrypted. Default: pkcs8.",
            case_sensitive=False,
            show_default=False,
        ),
    ] = None,
    chain: Annotated[
        ChainChoice | None,
        typer.Option(
            help="Which certificates; only-ca leaves out the key too. Default: full, in most device layouts no-root.",
            case_sensitive=False,
            show_default=False,
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", "-f", help="Overwrite existing files.")] = False,
    alias: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Take the key with this friendly name.", rich_help_panel=_CHOICE),
    ] = None,
    thumbprint: Annotated[
        str | None,
        typer.Option(
            metavar="HEX", help="Take the key of the certificate with this SHA-1 or SHA-256.", rich_help_panel=_CHOICE
        ),
    ] = None,
    password_file: PasswordFile = None,
    password_env: PasswordEnv = None,
    password_insecure: PasswordInsecure = None,
    key_password_file: Annotated[
        str | None,
        typer.Option(
            metavar="PATH",
            help="Read the password of an encrypted key that is written from this file (- is stdin). Default: the "
            "PFX's.",
            rich_help_panel="Passwords",
        ),
    ] = None,
    max_iterations: Annotated[
        int, typer.Option(min=1, help="Refuse a PFX that asks for more rounds of key derivation.")
    ] = 10_000_000,
) -> Batch[PfxToPemResult]:
    """Turn PFX files into PEM: key, certificate and chain, leaf to root, the key matched to its certificate.

    Every key opens: of a KSP or a CSP, RSA, EC, Ed25519, RSA-PSS, DSA. Names of outputs come from the input's name.
    Files with a key get mode 0600; nothing is overwritten without --force, and a failure leaves old files as they are.
    With several keys in the file nothing is written and they are listed; --thumbprint or --alias chooses.

    In PSPKI's Convert-PfxToPem: -OutputType is --key-format pkcs1 or pkcs8, -IncludeChain is --chain full (without it
    --chain leaf).

    Each refusal names its cause: wrong password; MAC and encryption passwords differ; damaged, and where; not a PFX;
    no private key; the key matches no certificate; several keys; no such form of the key; unsupported algorithm; too
    many iterations; protected to a SID (Export-PfxCertificate -ProtectTo); the target exists, is an input or cannot be
    written.

    \b
    Examples:
      pkitools pfx-to-pem vpn.pfx
      pkitools pfx-to-pem vpn.pfx --layout haproxy -O /etc/haproxy/certs/
      pkitools pfx-to-pem *.pfx -O pem/ --password-file passwords.txt
      pkitools pfx-to-pem vpn.pfx --key-format pkcs1 --chain leaf -O - | ssh lb 'cat > vpn.pem'
    """
    from pkitools.keystore.convert import PemOptions

    given = given_passwords(
        len(files),
        password_file=password_file,
        password_env=password_env,
        password_insecure=password_insecure,
        prompt=True,
    )
    key_password = input_passwords(key_password_file, other=password_file)
    if len(key_password) > 1:
        raise InputError("the file of --key-password-file has several lines; one password is expected")
    options = PemOptions(
        layout=layout,
        key_format=key_format,
        chain=chain,
        alias=alias,
        thumbprint=thumbprint,
        key_password=key_password[0] if key_password else None,
        max_iterations=max_iterations,
    )
    return Batch(len(files), _convert(files, out, given, options, force=force))


def _convert(
    files: Sequence[str], out: str | None, given: Given, options: PemOptions, *, force: bool
) -> Iterator[_Item]:
    from pkitools.files.writing import sync_folder
    from pkitools.keystore.convert import is_folder

    yield from given.notices
    if out == "":  # a shell variable that was not set
        raise InputError("the name of the file to write is empty")
    if len(files) > 1 and out is not None and not is_folder(out):
        raise InputError(
            f"{len(files)} files cannot be written to {out!r}",
            hint=f"name a folder: -O {out}/" if out != "-" else "convert one file at a time to stdout",
        )
    # What is never overwritten: the inputs, and what this run has written.
    taken = {os.path.realpath(name) for name in files}
    folder = out or f".{os.sep}"
    try:
        for index, name in enumerate(files):
            try:
                yield _convert_one(name, out, folder, given.of_file(index), options, force=force, taken=taken)
            except PkiToolsError as error:
                yield failed(name, error)
    finally:
        if out != "-" and is_folder(folder):
            sync_folder(folder)  # once for all files


def _convert_one(
    name: str,
    out: str | None,
    target: str,
    passwords: Sequence[Secret],
    options: PemOptions,
    *,
    force: bool,
    taken: set[str],
) -> _Item:
    from pkitools.files.reading import read_capped
    from pkitools.keystore.convert import is_folder, to_pem, write_pem_files

    result = to_pem(name, read_capped(name), passwords, options)
    if out == "-":
        if len(result.files) != 1:
            raise InputError(f"the layout {options.layout.value} is {len(result.files)} files; stdout takes one")
        return RawOutput(result.files[0].data)
    written = write_pem_files(result, target, name, overwrite=force, taken=taken, folder_sync=not is_folder(target))
    taken.update(os.path.realpath(file.path) for file in written.files)
    return judged(name, written, written.findings)
