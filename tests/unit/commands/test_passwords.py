"""Where passwords come from, what is cut from them (a line end and a BOM, nothing else), and who sees them."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pkitools.commands import passwords
from pkitools.errors import InputError
from pkitools.models.secret import Secret

NONE = {"password_file": None, "password_env": None, "password_insecure": None}


def read(files: int = 1, **options: str) -> list[str]:
    given = passwords.given_passwords(files, **{**NONE, **options}, prompt=False)
    return [secret.reveal() for secret in given.passwords]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"secret", "secret"),
        (b"secret\n", "secret"),
        (b"secret\r\n", "secret"),
        (b"  two blanks  \n", "  two blanks  "),
        (b"\ttab\t", "\ttab\t"),
        (b"\xef\xbb\xbfp\xc3\xa4ss\n", "päss"),
        ("päss🔑\r\n".encode("utf-16"), "päss🔑"),
        (b"p\xe4ss\n", "päss"),
        (b"", ""),
        (b"\n", ""),
        (b"a\rb\n", "a\rb"),
    ],
)
def test_what_is_cut(tmp_path: Path, content: bytes, expected: str) -> None:
    (tmp_path / "pw").write_bytes(content)
    assert read(password_file=str(tmp_path / "pw")) == [expected]


def test_one_line_for_each_file(tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("a\n\nc\n")
    assert read(3, password_file=str(tmp_path / "pw")) == ["a", "", "c"]
    given = passwords.given_passwords(3, **{**NONE, "password_file": str(tmp_path / "pw")}, prompt=False)
    assert given.of_file(2) == (Secret("c"),)
    assert passwords.Given((Secret("x"),)).of_file(7) == (Secret("x"),)
    assert passwords.Given().of_file(0) == ()
    with pytest.raises(InputError, match="3 lines for 2 files"):
        read(2, password_file=str(tmp_path / "pw"))
    with pytest.raises(InputError, match="one password is expected"):
        passwords.new_password(**{**NONE, "password_file": str(tmp_path / "pw")})
    assert passwords.input_passwords(str(tmp_path / "pw"), other=None) == (Secret("a"), Secret(""), Secret("c"))


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b" p \n")))
    assert read(password_file="-") == [" p "]
    with pytest.raises(InputError, match="both come from standard input"):
        passwords.input_passwords("-", other="-")


def test_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environb, b"PW", b"p\xe4ss ")
    assert read(password_env="PW") == ["päss "]
    with pytest.raises(InputError, match="'NO_SUCH' is not set"):
        read(password_env="NO_SUCH")


def test_command_line_warns() -> None:
    given = passwords.given_passwords(1, **{**NONE, "password_insecure": "pä"}, prompt=False)
    assert given.passwords == (Secret("pä"),)
    assert "process list" in given.notices[0].message and "pä" not in given.notices[0].message
    with pytest.raises(InputError, match="two sources"):
        read(password_env="PW", password_insecure="x")


def test_missing_file() -> None:
    with pytest.raises(InputError, match="cannot read"):
        read(password_file="/no/such/file")


def test_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "has_terminal", lambda: False)
    assert passwords.given_passwords(1, **NONE, prompt=True).passwords == ()
    with pytest.raises(InputError, match="no password was given"):
        passwords.new_password(**NONE)


PROGRAM = """
import os, pty, sys
answers = sys.argv[2].encode().decode("unicode_escape").encode("latin-1")
child, terminal = pty.fork()
if child == 0:
    from pkitools.commands import passwords
    from pkitools.errors import InputError
    none = {"password_file": None, "password_env": None, "password_insecure": None}
    try:
        if sys.argv[1] == "new":
            given = passwords.new_password(**none)
        else:
            given = passwords.given_passwords(2, **none, prompt=True)
        print("<%s>" % given.passwords[0].reveal().encode("unicode_escape").decode())
    except InputError as error:
        print("ERROR", error)
    os._exit(0)
seen = b""
for line in answers.splitlines(keepends=True):
    while not seen.rstrip(b"\\r\\n").endswith(b": "):
        seen += os.read(terminal, 1)
    os.write(terminal, line)
    sys.stdout.buffer.write(seen); seen = b""
try:
    while chunk := os.read(terminal, 4096):
        seen += chunk
except OSError:
    pass
sys.stdout.buffer.write(seen)
"""


def at_a_terminal(kind: str, answers: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, kind, answers], capture_output=True, timeout=60, check=True, text=True
    )
    return done.stdout


def test_prompt_is_hidden_and_asks_twice_when_writing() -> None:
    seen = at_a_terminal("new", r"p\xc3\xa4ss \np\xc3\xa4ss \n")
    assert r"<p\xe4ss >" in seen
    assert "Password of the new PFX: " in seen and "The same again: " in seen
    assert seen.count("ss ") == 1, "the password was echoed"
    assert "ERROR the two passwords differ" in at_a_terminal("new", r"one\ntwo\n")
    asked = at_a_terminal("read", r"one\n")
    assert "Password for all 2 files (Enter for none): " in asked and "<one>" in asked
    assert "<>" in at_a_terminal("read", r"\n")
