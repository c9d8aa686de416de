"""Files with keys: private from the first byte, whole or not at all, and the old one as it was after any failure."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from pkitools.errors import FileAccessError
from pkitools.files import writing
from pkitools.files.writing import NewFile, write_atomic, write_group

OLD = b"the old key\n"
NEW = b"the new key\n" * 1000


@pytest.fixture
def target(tmp_path: Path) -> Path:
    path = tmp_path / "schlüssel 🔑.pem"
    path.write_bytes(OLD)
    path.chmod(0o644)
    return path


@pytest.fixture
def loose_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def untouched(path: Path) -> bool:
    """The old file is byte-identical and nothing else lies in its folder."""
    return path.read_bytes() == OLD and os.listdir(path.parent) == [path.name]


def test_new_file_is_private(tmp_path: Path, loose_umask: None) -> None:
    write_atomic(tmp_path / "a", NEW)
    assert (tmp_path / "a").read_bytes() == NEW
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["a"]


def test_private_before_the_first_byte(tmp_path: Path, loose_umask: None, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, int]] = []
    real = os.open

    def recording(path: object, flags: int, mode: int = 0o777) -> int:
        descriptor = real(path, flags, mode)  # type: ignore[arg-type]
        seen.append((stat.S_IMODE(os.fstat(descriptor).st_mode), os.fstat(descriptor).st_size))
        return descriptor

    monkeypatch.setattr(os, "open", recording)
    write_atomic(tmp_path / "a", NEW)
    assert seen[0] == (0o600, 0)


def test_public_file_obeys_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_atomic(tmp_path / "a", NEW, mode=writing.PUBLIC)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


def test_nothing_is_overwritten_unasked(target: Path) -> None:
    with pytest.raises(FileAccessError, match="exists already") as caught:
        write_atomic(target, NEW)
    assert caught.value.error_id == "FileExists"
    assert "--force" in caught.value.hint
    assert untouched(target)


def test_overwrite_tightens_a_loose_mode(target: Path) -> None:
    write_atomic(target, NEW, overwrite=True)
    assert target.read_bytes() == NEW
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert os.listdir(target.parent) == [target.name]


def test_target_that_appears_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.fsync

    def and_someone_else_writes(descriptor: int) -> None:
        real(descriptor)
        (tmp_path / "a").write_bytes(OLD)

    monkeypatch.setattr(os, "fsync", and_someone_else_writes)
    with pytest.raises(FileAccessError, match="exists already"):
        write_atomic(tmp_path / "a", NEW)
    assert untouched(tmp_path / "a")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
def test_failing_disk(target: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def failing(_descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(FileAccessError, match=os.strerror(number)):
        write_atomic(target, NEW, overwrite=True)
    assert untouched(target)


@pytest.mark.parametrize("moment", ["fsync", "link", "replace"])
def test_interrupt_at_any_moment(target: Path, monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    def interrupted(*_args: object, **_named: object) -> None:
        raise KeyboardInterrupt

    owner = Path if moment == "replace" else os
    monkeypatch.setattr(owner, moment, interrupted)
    other = target.with_name("other")
    with pytest.raises(KeyboardInterrupt):
        write_group([NewFile(target, NEW), NewFile(other, NEW)], overwrite=True)
    monkeypatch.undo()
    assert untouched(target)


def test_real_interrupt_in_a_real_process(target: Path) -> None:
    """SIGINT lands while the file is on its way: the process ends, the old file stands, nothing is left beside it."""
    program = textwrap.dedent(
        """
        import os, sys, time
        from pkitools.files.writing import write_atomic
        real = os.fsync
        def slow(descriptor):
            print("writing", flush=True)
            time.sleep(30)
        os.fsync = slow
        write_atomic(sys.argv[1], b"new", overwrite=True)
        """
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, target], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "writing\n"
        assert len(os.listdir(target.parent)) == 2
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    assert untouched(target)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_ends_the_process_waits_for_the_file(target: Path, number: signal.Signals) -> None:
    program = textwrap.dedent(
        """
        import os, sys
        from pkitools.files.writing import write_atomic
        real = os.fsync
        def signalled(descriptor):
            os.kill(os.getpid(), int(sys.argv[2]))
            real(descriptor)
        os.fsync = signalled
        write_atomic(sys.argv[1], b"new", overwrite=True)
        print("not reached")
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", program, target, str(int(number))], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == -number, done.stderr
    assert done.stdout == ""
    assert os.listdir(target.parent) == [target.name]
    assert target.read_bytes() == b"new"


def test_an_ignored_signal_stays_ignored(target: Path) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        write_atomic(target, NEW, overwrite=True)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGHUP, before)


def test_symlink_is_followed_and_stays(target: Path, tmp_path: Path) -> None:
    link = tmp_path / "links" / "current.pem"
    link.parent.mkdir()
    link.symlink_to(target)
    with pytest.raises(FileAccessError, match="exists already"):
        write_atomic(link, NEW)
    write_atomic(link, NEW, overwrite=True)
    assert link.is_symlink()
    assert target.read_bytes() == NEW
    assert os.listdir(link.parent) == ["current.pem"]


def test_dangling_symlink_and_loop(tmp_path: Path) -> None:
    (tmp_path / "dangling").symlink_to(tmp_path / "aim")
    write_atomic(tmp_path / "dangling", NEW)
    assert (tmp_path / "aim").read_bytes() == NEW
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(FileAccessError):
        write_atomic(tmp_path / "loop", NEW)


def test_target_on_another_file_system(tmp_path: Path) -> None:
    elsewhere = Path("/dev/shm")
    if not elsewhere.is_dir() or elsewhere.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("no second file system at /dev/shm")
    aim = elsewhere / f"pkitools-test-{os.getpid()}"
    try:
        (tmp_path / "link").symlink_to(aim)
        write_group([NewFile(tmp_path / "link", NEW), NewFile(tmp_path / "here", NEW)])
        assert aim.read_bytes() == NEW
        assert sorted(os.listdir(tmp_path)) == ["here", "link"]
    finally:
        aim.unlink(missing_ok=True)


IN_A_SMALL_TMPFS = """
mount -t tmpfs -o size=64k,mode=0777 none "$1" || exit 77
printf 'the old key\\n' > "$1/a.pem"
"$2" -c '
import sys
from pkitools.errors import FileAccessError
from pkitools.files.writing import NewFile, write_group
small, big = NewFile(sys.argv[1] + "/a.pem", b"new"), NewFile(sys.argv[1] + "/b.pem", b"x" * 200_000)
try:
    write_group([small, big], overwrite=True)
except FileAccessError as error:
    print(error.message)
' "$1"
ls -A "$1"
cat "$1/a.pem"
"""


def test_full_disk(tmp_path: Path) -> None:
    """A real tmpfs of 64 KiB: the second file of the group does not fit, so the first is not replaced either."""
    flags = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    command = ["unshare", *flags, "--mount", "sh", "-c", IN_A_SMALL_TMPFS, "sh", str(tmp_path), sys.executable]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except FileNotFoundError:
        pytest.skip("no unshare")
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip(f"no mount namespace: {done.stderr.strip()}")
    assert done.stdout.splitlines() == [
        f"cannot write {str(tmp_path / 'b.pem')!r}: No space left on device",
        "a.pem",
        "the old key",
    ]


def test_read_only_folder(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() == 0:  # root writes everywhere: let the system call say what it says to others
        real = os.open

        def refusing(path: object, flags: int, mode: int = 0o777) -> int:
            if flags & os.O_CREAT:
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            return real(path, flags, mode)  # type: ignore[arg-type]

        monkeypatch.setattr(os, "open", refusing)
    target.parent.chmod(0o555)
    try:
        with pytest.raises(FileAccessError, match="Permission denied") as caught:
            write_atomic(target, NEW, overwrite=True)
    finally:
        target.parent.chmod(0o755)
    assert "folder must be writable" in caught.value.hint
    assert untouched(target)


@pytest.mark.parametrize("name", ["", "missing/a.pem", "a\0b", "x" * 300])
def test_impossible_names(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileAccessError):
        write_atomic(f"{tmp_path}/{name}", NEW)
    assert os.listdir(tmp_path) == []


def test_not_a_regular_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileAccessError, match="not a regular file"):
        write_atomic(tmp_path / "pipe", NEW, overwrite=True)
    with pytest.raises(FileAccessError, match="it is a folder"):
        write_atomic(tmp_path, NEW, overwrite=True)


def test_long_name_of_many_bytes_per_character(tmp_path: Path) -> None:
    name = "🔑" * 60 + ".pem"  # 244 bytes: one more temporary suffix would be too long
    write_atomic(tmp_path / name, NEW)
    assert os.listdir(tmp_path) == [name]


def test_group_is_all_or_nothing(target: Path) -> None:
    free = target.with_name("free.pem")
    with pytest.raises(FileAccessError, match="exists already"):
        write_group([NewFile(free, NEW), NewFile(target, NEW)])
    assert untouched(target)
    write_group([NewFile(free, NEW), NewFile(target, NEW)], overwrite=True)
    assert free.read_bytes() == target.read_bytes() == NEW
    assert sorted(os.listdir(target.parent)) == sorted([free.name, target.name])


def test_group_takes_back_what_it_replaced(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.replace

    def second_fails(self: Path, aim: Path) -> Path:
        if Path(aim).name == "b.pem":
            raise OSError(errno.EIO, "Input/output error")
        return real(self, aim)

    monkeypatch.setattr(Path, "replace", second_fails)
    second = target.with_name("b.pem")
    with pytest.raises(FileAccessError, match="Input/output error"):
        write_group([NewFile(target, NEW), NewFile(second, NEW)], overwrite=True)
    assert untouched(target)


def test_group_with_one_file_twice(tmp_path: Path) -> None:
    with pytest.raises(FileAccessError, match="written twice"):
        write_group([NewFile(tmp_path / "a", NEW), NewFile(f"{tmp_path}/./a", OLD)])
    assert os.listdir(tmp_path) == []


def test_file_system_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_args: object, **_named: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    write_atomic(tmp_path / "a", NEW)
    with pytest.raises(FileAccessError, match="exists already"):
        write_atomic(tmp_path / "a", OLD)
    assert (tmp_path / "a").read_bytes() == NEW
