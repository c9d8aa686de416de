"""``pkitools pem-to-pfx``: a PFX of certificates, keys, chains and other PFX files in any form and order."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Annotated

import typer

from pkitools.commands.passwords import (
    InPasswordFile,
    NewPasswordFile,
    PasswordEnv,
    PasswordInsecure,
    input_passwords,
    new_password,
)
from pkitools.errors import InputError
from pkitools.models.conversion import ChainChoice, PemToPfxResult
from pkitools.models.outcome import Notice, Outcome, RawOutput, judged
from pkitools.protocol.pkcs12 import Profile

_WINDOWS = "What Windows shall do with it"
_CHOICE = "Which key and certificates"
_Item = Outcome[PemToPfxResult] | Notice | RawOutput


class KeySpecChoice(Enum):
    """Values of ``--key-spec``."""

    EXCHANGE = "exchange"
    SIGNATURE = "signature"
    NONE = "none"


def pem_to_pfx(
    inputs: Annotated[
        list[str],
        typer.Argument(metavar="INPUT...", help="Certificates, chains, keys, bundles, P7B or PFX files, in any order."),
    ],
    *,
    out: Annotated[
        str | None,
        typer.Option(
            "--out",
            "-O",
            metavar="PATH",
            help="The PFX to write; a folder names it by the first input, - is stdout.",
            show_default=False,
        ),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="File with the private key. It may also be among the inputs."),
    ] = None,
    profile: Annotated[
        Profile,
        typer.Option(
            help="windows: AES-256, SHA-256 (Server 2019 and later); windows2016: 3DES, SHA-1 (Server 2016 and older, "
            "RD Gateway, older appliances); pbmac1: RFC 9879, not for Windows.",
            case_sensitive=False,
        ),
    ] = Profile.WINDOWS,
    force: Annotated[bool, typer.Option("--force", "-f", help="Overwrite an existing file.")] = False,
    friendly_name: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Friendly name; any Unicode. Default: as found.", rich_help_panel=_WINDOWS),
    ] = None,
    provider: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="CSP or KSP that Windows shall put the key into. Default: as found, else "
            '"Microsoft Software Key Storage Provider".',
            rich_help_panel=_WINDOWS,
        ),
    ] = None,
    key_spec: Annotated[
        KeySpecChoice | None,
        typer.Option(
            help="KeySpec for a CSP. Default: as found, else none with a KSP and exchange with a CSP.",
            case_sensitive=False,
            rich_help_panel=_WINDOWS,
            show_default=False,
        ),
    ] = None,
    machine: Annotated[
        bool | None,
        typer.Option(
            "--machine/--no-machine",
            help="Mark the key for the machine's key set (LocalKeySet). Default: as found.",
            rich_help_panel=_WINDOWS,
            show_default=False,
        ),
    ] = None,
    chain: Annotated[
        ChainChoice,
        typer.Option(help="Which certificates: full, no-root or leaf.", case_sensitive=False, rich_help_panel=_CHOICE),
    ] = ChainChoice.FULL,
    all_certificates: Annotated[
        bool,
        typer.Option(
            "--all-certificates",
            help="Keep certificates outside the chain too. So it is when every input is a PFX.",
            rich_help_panel=_CHOICE,
        ),
    ] = False,
    alias: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Take only the key with this friendly name.", rich_help_panel=_CHOICE),
    ] = None,
    thumbprint: Annotated[
        str | None,
        typer.Option(
            metavar="HEX",
            help="Take only the key of the certificate with this SHA-1 or SHA-256.",
            rich_help_panel=_CHOICE,
        ),
    ] = None,
    password_file: NewPasswordFile = None,
    password_env: PasswordEnv = None,
    password_insecure: PasswordInsecure = None,
    in_password_file: InPasswordFile = None,
    iterations: Annotated[
        int | None,
        typer.Option(
            min=1, max=10_000_000, help="Rounds for the key and for the certificates. .NET takes up to 300,000 each."
        ),
    ] = None,
    mac_iterations: Annotated[
        int | None, typer.Option(min=1, max=10_000_000, help="Rounds of the MAC. .NET takes up to 300,000.")
    ] = None,
    max_iterations: Annotated[
        int, typer.Option(min=1, help="Refuse an input that asks for more rounds of key derivation.")
    ] = 10_000_000,
) -> Iterator[_Item]:
    """Make a PFX for Windows of certificates, chain and key in any form and order.

    The leaf is the certificate that the key matches; the chain follows, leaf to root. A key that matches none is
    refused with both fingerprints. A PFX among the inputs is encrypted anew in one step and keeps its names, provider,
    KeySpec and machine mark. Read are PEM in every shape (UTF-16, escaped, indented, with noise), DER, P7B, PKCS #8,
    PKCS #1 and SEC 1, plain or encrypted, and OpenSSH keys.

    In PSPKI's Convert-PemToPfx: -InputPath are the inputs, -KeyPath is --key, -OutputPath -O, -ProviderName --provider,
    -KeySpec AT_KEYEXCHANGE --key-spec exchange, -StoreLocation LocalMachine --machine.

    Each refusal names its file and cause: wrong or missing password; damaged, and where; no private key; no
    certificate; the key matches no certificate; several certificates for one key; unsupported algorithm; too many
    iterations; the target exists or cannot be written. What some Windows reader cannot open is written with a warning
    that names the reader (exit code 1): Ed25519, Ed448 and RSA-PSS keys, pbmac1, several keys, more iterations than
    .NET takes.

    \b
    Examples:
      pkitools pem-to-pfx fullchain.pem privkey.pem -O vpn.pfx
      pkitools pem-to-pfx leaf.cer chain.p7b --key vpn.key -O vpn.pfx --profile windows2016
      pkitools pem-to-pfx old.pfx --in-password-file old.txt --password-file new.txt -O new.pfx
      pkitools pem-to-pfx adfs.pem -O adfs.pfx --provider "Microsoft RSA SChannel Cryptographic Provider" --machine
    """
    from pkitools.files.reading import read_capped
    from pkitools.keystore.convert import PfxOptions, to_pfx, write_pfx_file
    from pkitools.models.keystore import KeySpec

    if out is None:
        raise InputError("no file to write was given", hint="name it with -O; - is stdout")
    named = [(name, read_capped(name)) for name in inputs]
    key_file = (key, read_capped(key)) if key is not None else None
    opening = input_passwords(in_password_file, other=password_file)
    given = new_password(password_file=password_file, password_env=password_env, password_insecure=password_insecure)
    yield from given.notices
    options = PfxOptions(
        profile=profile,
        friendly_name=friendly_name,
        provider=provider,
        key_spec=KeySpec[key_spec.name] if key_spec is not None else None,
        machine=machine,
        chain=chain,
        alias=alias,
        thumbprint=thumbprint,
        all_certificates=all_certificates,
        iterations=iterations,
        mac_iterations=mac_iterations,
        max_iterations=max_iterations,
    )
    result = to_pfx(named, given.passwords[0], opening or given.passwords, options, key_file=key_file)
    if out == "-":
        yield from (Notice(item.message, item.severity) for item in result.findings)
        yield RawOutput(result.data)
        return
    written = write_pfx_file(result, out, inputs[0], overwrite=force, inputs=inputs)
    yield judged(written.path, written, written.findings)
