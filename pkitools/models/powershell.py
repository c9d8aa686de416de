"""What was done with the PowerShell module."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar


class ModuleAction(Enum):
    """What to do with the module."""

    PATH = "path"
    INSTALL = "install"
    UNINSTALL = "uninstall"


@dataclass(frozen=True, slots=True)
class PowerShellModule:
    """The module's folder after the action; ``program`` is the executable that it will start."""

    PS_TYPE: ClassVar[str] = "PkiTools.PowerShellModule"

    action: ModuleAction
    path: str
    program: str | None
