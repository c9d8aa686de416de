"""``pkitools powershell``: the module PkiTools on PowerShell's module path."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from pkitools.models.outcome import Outcome, Status
from pkitools.models.powershell import ModuleAction, PowerShellModule


def powershell(
    action: Annotated[ModuleAction, typer.Argument(help="path: where it is; install; uninstall.")],
    folder: Annotated[
        str | None, typer.Option("--folder", metavar="PATH", help="Module folder. Default: the user's own.")
    ] = None,
) -> Iterator[Outcome[PowerShellModule]]:
    """Install the PowerShell module PkiTools: PSPKI's functions, on Linux, macOS and Windows.

    \b
    Examples:
      pkitools powershell install
      pwsh -c 'Import-Module PkiTools; Test-WebServerSSL vpn.example.com -Sstp'
      pwsh -c 'Import-Module (pkitools powershell path)'
      pkitools powershell uninstall
    """
    from pkitools.powershell.install import manage

    for module in manage(action, folder):
        yield Outcome(module.path, Status.OK, module)
