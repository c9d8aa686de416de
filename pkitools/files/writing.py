"""Atomic writing: a new file is complete or not there, and an old one stays byte-identical until then."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path

from pkitools.errors import FileAccessError
from pkitools.files.reading import describe

PRIVATE = 0o600
PUBLIC = 0o644


def write_atomic(path: str | os.PathLike[str], data: bytes, *, mode: int = PRIVATE, overwrite: bool = False) -> None:
    """Write ``data`` to ``path``: beside the target under a temporary name, fsynced, then renamed.

    ``mode`` are the permission bits from before the first byte on, whatever the umask; a public file still obeys the
    umask. A symlink as target is followed, so that the link stays. Without ``overwrite`` an existing target is refused,
    also one that appears meanwhile. Raises FileAccessError; then the target is as it was and no temporary file is left.
    """
    target = Path(os.path.realpath(path))
    name = os.fspath(path)
    temporary = target.with_name(f".{target.name[:200]}.{secrets.token_hex(6)}.tmp")
    try:
        if target.is_dir():
            raise IsADirectoryError
        if not overwrite and os.path.lexists(target):
            raise _exists(name)
        if target.exists() and not stat.S_ISREG(target.stat().st_mode):
            raise FileAccessError(f"cannot write {name!r}: it is not a regular file")
        try:
            _write_synced(temporary, data, mode)
            _put_in_place(temporary, target, name, overwrite=overwrite)
        finally:
            with contextlib.suppress(FileNotFoundError):
                temporary.unlink()
        _sync_folder(target.parent)
    except (OSError, ValueError) as error:
        raise FileAccessError(f"cannot write {name!r}: {describe(error)}") from error


def _exists(name: str) -> FileAccessError:
    return FileAccessError(f"{name!r} exists already", hint="use --force to overwrite it", error_id="FileExists")


def _write_synced(path: Path, data: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        if mode == PRIVATE:
            os.fchmod(file.fileno(), mode)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _put_in_place(temporary: Path, target: Path, name: str, *, overwrite: bool) -> None:
    if overwrite:
        temporary.replace(target)
        return
    try:
        os.link(temporary, target)  # fails when the target has appeared; rename would overwrite it
    except FileExistsError as error:
        raise _exists(name) from error
    except OSError:  # file systems without hard links
        if os.path.lexists(target):
            raise _exists(name) from None
        temporary.replace(target)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(OSError):  # not every file system syncs folders
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
