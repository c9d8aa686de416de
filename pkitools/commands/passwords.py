"""Password options of the commands that read and write key files. Defined once, here.

A password comes from a hidden prompt, a file, standard input or the environment, and lives in a ``Secret``. On the
command line every user of the machine could read it in the process list, so that way has an ugly name and warns.
"""

from __future__ import annotations

import codecs
import getpass
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from pkitools.errors import InputError
from pkitools.files.reading import read_capped
from pkitools.models.outcome import Notice
from pkitools.models.secret import Secret

_PANEL = "Passwords"
_MAX_FILE = 1024 * 1024

PasswordFile = Annotated[
    str | None,
    typer.Option(
        "--password-file",
        metavar="PATH",
        help="Read the password of the PFX from this file (- is stdin): one line for all files, or a line for each.",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
NewPasswordFile = Annotated[
    str | None,
    typer.Option(
        "--password-file",
        metavar="PATH",
        help="Read the password of the new PFX from this file (- is stdin). Only the line end is cut, never blanks.",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
PasswordEnv = Annotated[
    str | None,
    typer.Option(
        "--password-env",
        metavar="VARIABLE",
        help="Read the password of the PFX from this environment variable.",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
PasswordInsecure = Annotated[
    str | None,
    typer.Option(
        "--password-insecure",
        metavar="PASSWORD",
        help="The password itself. Every user of this machine can read it in the process list.",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
InPasswordFile = Annotated[
    str | None,
    typer.Option(
        "--in-password-file",
        metavar="PATH",
        help="Read the passwords of encrypted keys and PFX files among the inputs from this file (- is stdin), one a "
        "line; each is tried. Default: the password of the new PFX.",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]


@dataclass(frozen=True, slots=True)
class Given:
    """What the options gave: one password for all files or one for each; empty when none was given. ``notices`` are
    to be shown."""

    passwords: tuple[Secret, ...] = ()
    notices: tuple[Notice, ...] = ()

    def of_file(self, index: int) -> tuple[Secret, ...]:
        """The passwords to try on the file with this number."""
        return self.passwords if len(self.passwords) < 2 else (self.passwords[index],)


def given_passwords(
    files: int, *, password_file: str | None, password_env: str | None, password_insecure: str | None, prompt: bool
) -> Given:
    """The passwords for ``files`` files that are read. ``prompt`` asks once when no option gave one and there is a
    terminal. Raises InputError: two sources, a variable that is not set, a number of lines that fits nothing."""
    given = _from_options(password_file, password_env, password_insecure)
    if len(given.passwords) > 1 and len(given.passwords) != files:
        raise InputError(
            f"the password file has {len(given.passwords)} lines for {files} {'file' if files == 1 else 'files'}",
            hint="give one line for all files, or one for each in the order of the files",
        )
    if not given.passwords and prompt and has_terminal():
        text = "Password" if files == 1 else f"Password for all {files} files"
        return Given((_ask(f"{text} (Enter for none): "),))
    return given


def new_password(*, password_file: str | None, password_env: str | None, password_insecure: str | None) -> Given:
    """The one password for a file that is written: from an option, or asked for twice. Raises InputError."""
    given = _from_options(password_file, password_env, password_insecure)
    if len(given.passwords) > 1:
        raise InputError(f"the password file has {len(given.passwords)} lines; one password is expected")
    if given.passwords:
        return given
    if not has_terminal():
        raise InputError("no password was given", hint="give it with --password-file or --password-env")
    first = _ask("Password of the new PFX: ")
    if _ask("The same again: ") != first:
        raise InputError("the two passwords differ; nothing was written")
    return Given((first,))


def input_passwords(in_password_file: str | None, *, other: str | None) -> tuple[Secret, ...]:
    """The passwords of ``--in-password-file``; ``other`` is the file of the other password option."""
    if in_password_file == "-" == other:
        raise InputError("two passwords cannot both come from standard input")
    return _lines(in_password_file) if in_password_file is not None else ()


def _from_options(password_file: str | None, password_env: str | None, password_insecure: str | None) -> Given:
    sources = (password_file, password_env, password_insecure)
    if sum(source is not None for source in sources) > 1:
        raise InputError("the password has two sources", hint="give one of --password-file, --password-env")
    if password_file is not None:
        return Given(_lines(password_file))
    if password_env is not None:
        value = os.environb.get(os.fsencode(password_env))
        if value is None:
            raise InputError(f"the environment variable {password_env!r} is not set")
        return Given((Secret(_text(value)),))
    if password_insecure is not None:
        warning = Notice("--password-insecure shows the password to every user of this machine in the process list")
        return Given((Secret(_text(os.fsencode(password_insecure))),), (warning,))
    return Given()


def _lines(path: str | Secret) -> tuple[Secret, ...]:
    """The lines of a file; the bridge to PowerShell hands over the secret itself in a file name's place."""
    if isinstance(path, Secret):
        return (path,)
    data = sys.stdin.buffer.read(_MAX_FILE) if path == "-" else read_capped(path, limit=_MAX_FILE)
    lines = _text(data).removesuffix("\n").split("\n")
    return tuple(Secret(line.removesuffix("\r")) for line in lines)


def _text(data: bytes) -> str:
    """UTF-8 or, by its BOM, UTF-16 (PowerShell's ``>``); octets that are neither are Latin-1."""
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if data.startswith(mark):
            return data[2:].decode(encoding, "replace")
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def has_terminal() -> bool:
    """Whether there is somebody to ask: a controlling terminal, wherever the streams go."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _ask(text: str) -> Secret:
    try:
        return Secret(_text(os.fsencode(getpass.getpass(text))))
    except EOFError as error:
        raise InputError("no password was given") from error


def all_notices(given: Sequence[Given]) -> tuple[Notice, ...]:
    """The notices of all sources."""
    return tuple(notice for one in given for notice in one.notices)
