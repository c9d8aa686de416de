"""Atomic writing: a new file is complete or not there, and an old one stays byte-identical until then."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import stat
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pkitools.errors import FileAccessError
from pkitools.files.reading import describe

PRIVATE = 0o600
PUBLIC = 0o644


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file to write. ``mode`` are its permission bits; a public file still obeys the umask."""

    path: str | os.PathLike[str]
    data: bytes = field(repr=False)
    mode: int = PRIVATE


@dataclass(slots=True)
class _Staged:
    """A new file on its way: ``temporary`` beside ``target`` until it is in place, ``old`` the kept link to the file
    that it replaces."""

    name: str
    target: Path
    temporary: Path
    old: Path | None = None
    placed: bool = False


def write_atomic(path: str | os.PathLike[str], data: bytes, *, mode: int = PRIVATE, overwrite: bool = False) -> None:
    """Write ``data`` to ``path``: beside the target under a temporary name, fsynced, then renamed.

    ``mode`` are the permission bits from before the first byte on, whatever the umask; a public file still obeys the
    umask. A symlink as target is followed, so that the link stays. Without ``overwrite`` an existing target is refused,
    also one that appears meanwhile. Raises FileAccessError; then the target is as it was and no temporary file is left.
    """
    write_group((NewFile(path, data, mode),), overwrite=overwrite)


def write_group(files: Sequence[NewFile], *, overwrite: bool = False, folder_sync: bool = True) -> None:
    """Write several files that belong together (a key and its chain): all of them or none, each as ``write_atomic``.

    All are complete on the disk before the first is renamed; when a rename fails the ones before it are taken back. A
    crash of the machine between two renames is what remains. Without ``folder_sync`` the caller calls ``sync_folder``
    when it has written all its groups. SIGTERM and SIGHUP take effect when all is written. Raises FileAccessError, also
    when two files are one.
    """
    with _endings_put_off():
        _write_group(files, overwrite=overwrite, folder_sync=folder_sync)


def _write_group(files: Sequence[NewFile], *, overwrite: bool, folder_sync: bool) -> None:
    staged: list[_Staged] = []
    try:
        for file in files:
            staged.append(_stage(file, overwrite=overwrite))
            if sum(other.target == staged[-1].target for other in staged) > 1:
                raise FileAccessError(f"{staged[-1].name!r} would be written twice")
            with _named(staged[-1].name):
                _write_synced(staged[-1].temporary, file.data, file.mode)
        with _interrupts_held():
            _put_all_in_place(staged, overwrite=overwrite)
        if folder_sync:
            for folder in {item.target.parent for item in staged}:
                sync_folder(folder)
    finally:
        _remove(path for item in staged for path in (item.temporary, item.old))


@contextlib.contextmanager
def _named(name: str) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        raise FileAccessError(f"cannot write {name!r}: {describe(error)}", hint=_hint(error)) from error


def _hint(error: OSError | ValueError) -> str:
    number = error.errno if isinstance(error, OSError) else None
    if number in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "the folder must be writable, since the file is written beside its target and then renamed"
    return "free some space; the old file is untouched" if number in (errno.ENOSPC, errno.EDQUOT) else ""


def _stage(file: NewFile, *, overwrite: bool) -> _Staged:
    name = os.fspath(file.path)
    with _named(name):
        target = Path(os.path.realpath(file.path))
        found = _mode_of(target)
        if found is not None and stat.S_ISDIR(found):
            raise IsADirectoryError
        if found is not None and not overwrite:
            raise _exists(name)
        if found is not None and not stat.S_ISREG(found):
            raise FileAccessError(f"cannot write {name!r}: it is not a regular file")
        return _Staged(name, target, _beside(target))


def _mode_of(path: Path) -> int | None:
    """The mode of what is there, a loop of links included; None when nothing is."""
    try:
        return os.lstat(path).st_mode
    except FileNotFoundError:
        return None


def _beside(target: Path) -> Path:
    """A name in the same folder, so on the same file system, that is not longer than a file system allows."""
    shortened = os.fsdecode(os.fsencode(target.name)[:200])
    return target.with_name(f".{shortened}.{os.urandom(6).hex()}.tmp")


def _exists(name: str) -> FileAccessError:
    return FileAccessError(f"{name!r} exists already", hint="use --force to overwrite it", error_id="FileExists")


def _write_synced(path: Path, data: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        if mode == PRIVATE:
            os.fchmod(descriptor, mode)
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _interrupts_held() -> Iterator[None]:
    """Ctrl-C waits until the renames are done or taken back. Only the main thread receives it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _endings_put_off() -> Iterator[None]:
    """A signal that ends the process at once would leave a temporary file with a key behind: it comes afterwards.

    Only where nobody handles or ignores it (nohup), and in the main thread, which alone can set handlers.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    endings = [one for one in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(one) is signal.SIG_DFL]
    for one in endings:
        signal.signal(one, lambda number, _: came.append(number))
    try:
        yield
    finally:
        for one in endings:
            signal.signal(one, signal.SIG_DFL)
        for number in came[:1]:
            os.kill(os.getpid(), number)


def _put_all_in_place(staged: list[_Staged], *, overwrite: bool) -> None:
    try:
        for item in staged:
            with _named(item.name):
                if len(staged) > 1 and overwrite:
                    _keep_old(item)
                _put_in_place(item, overwrite=overwrite)
                item.placed = True
    except BaseException:
        for item in staged:
            _take_back(item)
        raise


def _keep_old(item: _Staged) -> None:
    """A second name for the file that will be replaced. Without hard links there is no way back, and none is faked."""
    old = _beside(item.target)
    with contextlib.suppress(OSError):
        os.link(item.target, old)
        item.old = old


def _put_in_place(item: _Staged, *, overwrite: bool) -> None:
    if overwrite:
        item.temporary.replace(item.target)
        return
    try:
        os.link(item.temporary, item.target)  # fails when the target has appeared; rename would overwrite it
    except FileExistsError as error:
        raise _exists(item.name) from error
    except OSError:  # file systems without hard links
        if os.path.lexists(item.target):
            raise _exists(item.name) from None
        item.temporary.replace(item.target)


def _take_back(item: _Staged) -> None:
    if not item.placed:
        return
    with contextlib.suppress(OSError):
        if item.old is not None:
            item.old.replace(item.target)
        else:
            item.target.unlink()


def _remove(paths: Iterator[Path | None]) -> None:
    for path in paths:
        if path is not None:
            with contextlib.suppress(OSError):
                path.unlink()


def sync_folder(folder: str | os.PathLike[str]) -> None:
    """Bring the names in a folder to the disk, so that files put in place there outlive a power cut."""
    with contextlib.suppress(OSError):  # not every file system syncs folders, and a folder may be unreadable
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
