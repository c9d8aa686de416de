"""Reading files that may be hostile: with a cap on the size, and errors of our own."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from pkitools.errors import FileAccessError

MAX_INPUT_BYTES = 64 * 1024 * 1024


def read_capped(path: str | os.PathLike[str], *, limit: int = MAX_INPUT_BYTES) -> bytes:
    """The content of a file or pipe. Raises FileAccessError: missing, not permitted, a folder, over ``limit`` bytes."""
    name = os.fspath(path)
    try:
        with Path(path).open("rb") as file:
            if stat.S_ISDIR(os.fstat(file.fileno()).st_mode):
                raise IsADirectoryError
            data = file.read(limit + 1)
    except (OSError, ValueError) as error:
        raise FileAccessError(f"cannot read {name!r}: {describe(error)}") from error
    if len(data) > limit:
        raise FileAccessError(f"cannot read {name!r}: larger than {limit} bytes", hint="is this the right file?")
    return data


def describe(error: OSError | ValueError) -> str:
    """The operating system's word for an error, without the path."""
    if isinstance(error, IsADirectoryError):
        return "it is a folder"
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
