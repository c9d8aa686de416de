"""Replacing a file that somebody else also uses: owner and mode stay, and the old content is kept beside it."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path

from pkitools.errors import FileAccessError
from pkitools.files.reading import describe
from pkitools.files.writing import write_atomic

_MAX_BACKUPS = 1000


def back_up(path: str | os.PathLike[str], data: bytes) -> str:
    """Write ``data`` (the old content of ``path``) beside it as ``NAME.bak``, else ``NAME.bak2`` and so on.

    An older backup is never touched. Returns the backup's path. Raises FileAccessError.
    """
    mode = _status(path).st_mode & 0o777
    for number in range(1, _MAX_BACKUPS):
        target = f"{os.fspath(path)}.bak{'' if number == 1 else number}"
        if os.path.lexists(target):
            continue
        try:
            write_atomic(target, data, mode=mode)
        except FileAccessError as error:
            if error.error_id == "FileExists":  # somebody was quicker
                continue
            raise
        return target
    raise FileAccessError(f"{os.fspath(path)!r} has {_MAX_BACKUPS} backups already", hint="remove the old ones")


def replace_file(path: str | os.PathLike[str], data: bytes) -> None:
    """Put ``data`` in the place of an existing regular file, at one moment, with its owner, group and mode.

    A symlink is followed. Raises FileAccessError, then the file is as it was: not permitted, or the owner cannot be
    kept (another user's file, and we are not root).
    """
    old = _status(path)
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name[:200]}.{secrets.token_hex(6)}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            new = os.fstat(file.fileno())
            if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
                os.fchown(file.fileno(), old.st_uid, old.st_gid)
            os.fchmod(file.fileno(), stat.S_IMODE(old.st_mode))
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except OSError as error:
        raise FileAccessError(
            f"cannot replace {os.fspath(path)!r}: {describe(error)}",
            hint="run as the file's owner or as root, so that owner and mode can be kept",
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def _status(path: str | os.PathLike[str]) -> os.stat_result:
    try:
        status = Path(path).stat()
    except (OSError, ValueError) as error:
        raise FileAccessError(f"cannot read {os.fspath(path)!r}: {describe(error)}") from error
    if not stat.S_ISREG(status.st_mode):
        raise FileAccessError(f"cannot replace {os.fspath(path)!r}: it is not a regular file")
    return status
