"""Puts the module PkiTools on PowerShell's module path, and takes it away again."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from pkitools.errors import FileAccessError, InputError
from pkitools.files.reading import describe
from pkitools.files.writing import PUBLIC, write_atomic
from pkitools.models.powershell import ModuleAction, PowerShellModule

NAME = "PkiTools"
FILES = ("PkiTools.psd1", "PkiTools.psm1", "PkiTools.Format.ps1xml", "PkiTools.Types.ps1xml")
PROGRAM_NOTE = "program.txt"


def source_folder() -> Path:
    """The module as it ships in this package."""
    return Path(__file__).parent / NAME


def default_folders() -> tuple[Path, ...]:
    """The user's module folders: PowerShell 7, and on Windows that of Windows PowerShell too."""
    if sys.platform == "win32":
        documents = Path.home() / "Documents"
        return documents / "PowerShell" / "Modules", documents / "WindowsPowerShell" / "Modules"
    data = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return (Path(data) / "powershell" / "Modules",)


def manage(action: ModuleAction, folder: str | None = None) -> list[PowerShellModule]:
    """Carry out one action in ``folder`` or the user's module folders. Raises FileAccessError, InputError."""
    if action is ModuleAction.PATH:
        return [PowerShellModule(action, str(source_folder()), None)]
    targets = (Path(folder),) if folder else default_folders()
    work = _install if action is ModuleAction.INSTALL else _uninstall
    return [work(target) for target in targets]


def _install(folder: Path) -> PowerShellModule:
    target = folder / NAME
    program = find_program()
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileAccessError(f"cannot make {str(target)!r}: {describe(error)}") from error
    for name in FILES:
        write_atomic(target / name, (source_folder() / name).read_bytes(), mode=PUBLIC, overwrite=True)
    write_atomic(target / PROGRAM_NOTE, f"{program}\n".encode(), mode=PUBLIC, overwrite=True)
    return PowerShellModule(ModuleAction.INSTALL, str(target), program)


def _uninstall(folder: Path) -> PowerShellModule:
    target = folder / NAME
    if target.is_symlink() or not (target / FILES[0]).is_file():
        raise InputError(f"there is no module {NAME} in {str(folder)!r}", error_id="ObjectNotFound")
    try:
        shutil.rmtree(target)
    except OSError as error:
        raise FileAccessError(f"cannot remove {str(target)!r}: {describe(error)}") from error
    return PowerShellModule(ModuleAction.UNINSTALL, str(target), None)


def find_program() -> str:
    """The executable that the module shall start: the console script beside this interpreter, else the one on PATH."""
    script = Path(sys.executable).with_name("pkitools.exe" if sys.platform == "win32" else "pkitools")
    if script.is_file():
        return str(script)
    found = shutil.which("pkitools")
    if found is None:
        raise InputError(
            "the program pkitools is neither beside this Python nor on PATH", hint="install it: pipx install pkitools"
        )
    return str(Path(found).resolve())
