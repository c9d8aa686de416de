"""``pfx-to-pem`` and ``pem-to-pfx`` at the command line: many files, passwords, standard output, exit codes."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import pkitools
from pkitools.cli import main
from pkitools.models.keystore import CertificateEntry, KeyEntry, KeyStoreContent
from pkitools.models.secret import Secret
from pkitools.protocol.pem import read_pem
from pkitools.protocol.pkcs12 import read_pfx, write_pfx
from tests.unit.keystore import pki

ROUNDS = {"iterations": 1, "mac_iterations": 1}
QUICK = ("--iterations", "1", "--mac-iterations", "1")


def pfx(password: str = "P", kind: str = "rsa") -> bytes:
    certificates = tuple(CertificateEntry(pki.der(one)) for one in ("root", kind, "issuing"))
    return write_pfx(KeyStoreContent((KeyEntry(pki.pkcs8(kind)),), certificates), Secret(password), **ROUNDS)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pw").write_text("P\n")
    return tmp_path


def test_default_is_a_pem_in_the_current_folder(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "vpn.pfx").write_bytes(pfx())
    assert main.run(["pfx-to-pem", "sub/vpn.pfx", "--password-file", "pw"]) == 0
    assert stat.S_IMODE((folder / "vpn.pem").stat().st_mode) == 0o600
    assert "wrote vpn.pem" in capfd.readouterr().out


@pytest.mark.parametrize("layout", ["single", "split"])
@pytest.mark.parametrize("name", ["..pfx", "...pfx", "-O.pfx", "new\nline.pfx", "Zürich 🔑.v1.pfx", ".pfx", "...", "é"])
def test_odd_names_stay_in_the_folder(folder: Path, layout: str, name: str) -> None:
    (folder / "in").mkdir()
    (folder / "in" / name).write_bytes(pfx())
    before = sorted(os.listdir(folder))
    for where in (["-O", "out/"], []):
        (folder / "out").mkdir(exist_ok=True)
        os.chdir(folder / "in" if where == [] else folder)
        password = "../pw" if where == [] else "pw"
        given = name if where == [] else f"in/{name}"
        arguments = ["pfx-to-pem", *where, "--password-file", password, "--layout", layout, "--", given]
        assert main.run(arguments) == 0
    assert sorted(os.listdir(folder)) == sorted([*before, "out"])
    files = 1 if layout == "single" else 3
    assert len(os.listdir(folder / "out")) == files
    assert len(os.listdir(folder / "in")) == files + 1


@pytest.mark.parametrize("layout", ["single", "split"])
def test_odd_names_of_targets(folder: Path, layout: str) -> None:
    (folder / "a.pfx").write_bytes(pfx())
    arguments = ["pfx-to-pem", "a.pfx", "--password-file", "pw", "--layout", layout, "-O"]
    assert main.run([*arguments, ""]) == 2
    assert sorted(os.listdir(folder)) == ["a.pfx", "pw"]
    assert main.run([*arguments, "..pem"]) == 0
    assert len(os.listdir(folder)) == (3 if layout == "single" else 5)


def test_a_failing_file_hides_no_other(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "a.pfx").write_bytes(pfx())
    (folder / "b.pfx").write_bytes(pfx("other"))
    (folder / "c.pfx").write_bytes(b"junk")
    (folder / "e.pfx").write_bytes(pfx(kind="p-256"))
    names = ["a.pfx", "b.pfx", "c.pfx", "d.pfx", "e.pfx"]
    assert main.run(["pfx-to-pem", *names, "-O", "o/", "--password-file", "pw", "-o", "json"]) == 2
    records = json.loads(capfd.readouterr().out)
    assert [record["Status"] for record in records] == ["OK", "Unusable", "Unusable", "Unusable", "OK"]
    assert [(record["Reason"] or {}).get("Id") for record in records] == [
        None,
        "WrongPassword",
        "NotPfx",
        "FileAccess",
        None,
    ]
    assert sorted(os.listdir("o")) == ["a.pem", "e.pem"]
    assert "PRIVATE" not in json.dumps(records)


def test_a_password_for_each_file(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "a.pfx").write_bytes(pfx("eins"))
    (folder / "b.pfx").write_bytes(pfx("zwei 🔑 "))
    (folder / "each").write_text("eins\nzwei 🔑 \n")
    assert main.run(["pfx-to-pem", "a.pfx", "b.pfx", "--password-file", "each"]) == 0
    (folder / "each").write_text("eins\nzwei\ndrei\n")
    assert main.run(["pfx-to-pem", "a.pfx", "b.pfx", "--password-file", "each", "--force"]) == 2
    assert "3 lines for 2 files" in capfd.readouterr().err


def test_same_name_from_two_folders_is_not_lost(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for sub, kind in (("x", "rsa"), ("y", "p-256")):
        (folder / sub).mkdir()
        (folder / sub / "vpn.pfx").write_bytes(pfx(kind=kind))
    assert main.run(["pfx-to-pem", "x/vpn.pfx", "y/vpn.pfx", "--password-file", "pw", "--force"]) == 2
    assert "just written" in capfd.readouterr().out
    assert pki.der("rsa") in [block.der for block in read_pem((folder / "vpn.pem").read_bytes())]


def test_standard_output(folder: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    (folder / "a.pfx").write_bytes(pfx())
    assert main.run(["pfx-to-pem", "a.pfx", "--password-file", "pw", "--layout", "haproxy", "-O", "-"]) == 0
    out = capfdbinary.readouterr().out
    assert [block.label for block in read_pem(out)] == ["CERTIFICATE", "CERTIFICATE", "PRIVATE KEY"]
    assert out.startswith(b"-----BEGIN") and out.endswith(b"-----END PRIVATE KEY-----\n")
    assert main.run(["pfx-to-pem", "a.pfx", "--password-file", "pw", "--layout", "nginx", "-O", "-"]) == 2
    assert b"stdout takes one" in capfdbinary.readouterr().out
    assert main.run(["pfx-to-pem", "a.pfx", "a.pfx", "--password-file", "pw", "-O", "-"]) == 2
    assert main.run(["pfx-to-pem", "a.pfx", "a.pfx", "--password-file", "pw", "-O", "x.pem"]) == 2
    assert sorted(os.listdir(folder)) == ["a.pfx", "pw"]


def test_pem_to_pfx(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "all.pem").write_bytes(pki.pem("root", "rsa", "issuing") + pki.key_pem("rsa", password="Schlüssel"))
    (folder / "in").write_text("falsch\nSchlüssel\n")
    command = ["pem-to-pfx", "all.pem", "-O", "vpn.pfx", "--password-file", "pw", "--in-password-file", "in", *QUICK]
    options = ["--friendly-name", "VPN 🔑", "--machine", "--key-spec", "signature", "--profile", "windows2016"]
    assert main.run([*command, *options, "-o", "json"]) == 0
    (record,) = json.loads(capfd.readouterr().out)
    assert record["KeySpec"] == "AT_SIGNATURE" and record["Machine"] is True and record["HasPrivateKey"] is True
    assert "Data" not in record
    content = read_pfx((folder / "vpn.pfx").read_bytes(), [Secret("P")]).content
    assert content.keys[0].friendly_name == "VPN 🔑"
    assert stat.S_IMODE((folder / "vpn.pfx").stat().st_mode) == 0o600
    assert main.run([*command, "-o", "json"]) == 2
    error = capfd.readouterr().err
    assert "exists already" in error and "--force" in error
    assert main.run([*command, "--force"]) == 0


def test_pem_to_pfx_refuses_without_a_target_or_password(
    folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pkitools.commands.passwords.has_terminal", lambda: False)
    (folder / "all.pem").write_bytes(pki.pem("rsa") + pki.key_pem("rsa"))
    assert main.run(["pem-to-pfx", "all.pem", "--password-file", "pw"]) == 2
    assert "name it with -O" in capfd.readouterr().err
    assert main.run(["pem-to-pfx", "all.pem", "-O", "x.pfx"]) == 2
    assert "--password-file" in capfd.readouterr().err
    assert not (folder / "x.pfx").exists()


def test_warning_gives_exit_code_1_and_a_file(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "all.pem").write_bytes(pki.pem("ed25519", "issuing", "root") + pki.key_pem("ed25519"))
    assert main.run(["pem-to-pfx", "all.pem", "-O", "x.pfx", "--password-file", "pw", *QUICK]) == 1
    assert ".NET 10" in capfd.readouterr().out
    assert (folder / "x.pfx").exists()
    assert main.run(["pem-to-pfx", "all.pem", "-O", "-", "--password-file", "pw", *QUICK]) == 0
    assert ".NET 10" in capfd.readouterr().err


def test_password_on_the_command_line_warns(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "a.pfx").write_bytes(pfx("gehéim"))
    assert main.run(["pfx-to-pem", "a.pfx", "--password-insecure", "gehéim"]) == 0
    captured = capfd.readouterr()
    assert "process list" in captured.err
    assert "gehéim" not in captured.out + captured.err


def test_max_iterations(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    content = read_pfx(pfx(), [Secret("P")]).content
    (folder / "b.pfx").write_bytes(write_pfx(content, Secret("P"), iterations=3, mac_iterations=3))
    command = ["pfx-to-pem", "b.pfx", "--password-file", "pw", "-o", "json", "--max-iterations"]
    assert main.run([*command, "8"]) == 2
    (record,) = json.loads(capfd.readouterr().out)
    assert record["Reason"]["Id"] == "IterationsOverLimit"
    assert main.run([*command, "9"]) == 0


def test_a_conversion_imports_nothing_heavy(folder: Path) -> None:
    """One file must cost little: no network library, no event loop."""
    (folder / "a.pfx").write_bytes(pfx())
    program = (
        "import sys; from pkitools.cli import main; code = main.run(sys.argv[1:]); "
        "heavy = set('impacket ldap3 asyncio OpenSSL spnego dns rich Cryptodome pyasn1 pydantic'.split()); "
        "print(code, sorted(heavy & set(sys.modules)))"
    )
    for command in (
        ["pfx-to-pem", "a.pfx", "--password-file", "pw"],
        ["pem-to-pfx", "a.pem", "-O", "b.pfx", "--password-file", "pw", *QUICK],
    ):
        where = {**os.environ, "PYTHONPATH": str(Path(pkitools.__file__).parents[1])}
        done = subprocess.run(
            [sys.executable, "-c", program, *command], capture_output=True, text=True, timeout=60, env=where
        )
        assert done.stdout.splitlines()[-1] == "0 []", done.stdout + done.stderr


def test_interrupt_in_a_batch_leaves_whole_files_alone(folder: Path) -> None:
    """Ctrl-C while many files are converted: exit code 130, every file there is complete, no temporary one is left."""
    for number in range(40):
        (folder / f"{number:02}.pfx").write_bytes(pfx())
    program = (
        "import os, signal, sys\n"
        "from pkitools.cli import main\n"
        "real, count = os.fsync, [0]\n"
        "def interrupting(descriptor):\n"
        "    count[0] += 1\n"
        "    if count[0] == 20: os.kill(os.getpid(), signal.SIGINT)\n"
        "    real(descriptor)\n"
        "os.fsync = interrupting\n"
        "sys.exit(main.run(sys.argv[1:]))\n"
    )
    where = {**os.environ, "PYTHONPATH": str(Path(pkitools.__file__).parents[1])}
    names = [f"{number:02}.pfx" for number in range(40)]
    done = subprocess.run(
        [sys.executable, "-c", program, "pfx-to-pem", *names, "--password-file", "pw", "-O", "o/"],
        capture_output=True,
        text=True,
        timeout=60,
        env=where,
    )
    assert done.returncode == 130 and "interrupted" in done.stderr
    assert sorted(os.listdir("o")) == [f"{number:02}.pem" for number in range(19)]
    assert all(len(read_pem(path.read_bytes())) == 4 for path in Path("o").iterdir())
