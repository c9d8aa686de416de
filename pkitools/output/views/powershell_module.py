"""Text of the powershell command; path is a bare path, so that PowerShell can import it."""

from __future__ import annotations

from pkitools.models.outcome import Outcome
from pkitools.models.powershell import ModuleAction, PowerShellModule
from pkitools.output.text import Line, Style, Styled


def render(outcome: Outcome[PowerShellModule], many: bool) -> list[Line]:
    """One line."""
    module = outcome.value
    if module is None or module.action is ModuleAction.PATH:
        return [] if module is None else [module.path]
    verb = "installed" if module.action is ModuleAction.INSTALL else "removed"
    program = f", which starts {module.program}" if module.program and not many else ""
    return [(Styled(f"{verb} ", Style.GOOD), module.path, program)]
