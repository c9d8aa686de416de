"""The shared options: one definition for every command, secrets from prompt, file or environment only."""

from __future__ import annotations

import getpass
import inspect
from typing import Annotated

import pytest
import typer

from pkitools.commands.credentials import AuthChoice, Connection, with_connection
from pkitools.errors import InputError
from pkitools.models.secret import Secret
from pkitools.transport.credentials import Protection


@with_connection
def command(name: Annotated[str, typer.Argument()] = "*", *, connection: Connection) -> tuple[str, Connection]:
    """A command."""
    return name, connection


def connect(**options) -> Connection:
    return command(**options)[1]


def test_options_join_the_command_line():
    names = list(inspect.signature(command, eval_str=True).parameters)
    assert names[0] == "name"
    assert "connection" not in names
    assert {"user", "password_file", "nt_hash_file", "keytab", "ldaps", "gc", "dns", "timeout"} <= set(names)
    assert not [name for name in names if name in {"password", "nt_hash", "aes_key"}]
    assert command(name="x")[0] == "x"


def test_a_password_comes_from_a_file_without_its_line_end(tmp_path):
    path = tmp_path / "geheim 🔑.txt"
    path.write_bytes("﻿Grüße 🔑 \r\n".encode())
    connection = connect(user="AD\\björn", password_file=path)
    assert connection.credentials.password == Secret("Grüße 🔑 ")


def test_a_password_comes_from_the_environment(monkeypatch):
    monkeypatch.setenv("GEHEIM", "Grüße")
    assert connect(user="u@d", password_env="GEHEIM").credentials.password == Secret("Grüße")
    with pytest.raises(InputError, match="not set"):
        connect(user="u@d", password_env="FEHLT")


def test_a_password_is_asked_for_unseen(monkeypatch):
    asked = []
    monkeypatch.setattr(getpass, "getpass", lambda prompt: asked.append(prompt) or "geheim")
    assert connect(user="AD\\björn").credentials.password == Secret("geheim")
    assert asked == ["Password of AD\\björn: "]


def test_without_a_terminal_the_error_names_the_options(monkeypatch):
    def no_terminal(prompt):
        raise EOFError

    monkeypatch.setattr(getpass, "getpass", no_terminal)
    with pytest.raises(InputError) as caught:
        connect(user="u")
    assert "--password-file" in caught.value.hint


def test_hash_and_key_files(tmp_path):
    path = tmp_path / "hash"
    path.write_text("8846f7eaee8fb117ad06bdd830b7586c\n")
    assert connect(user="u", nt_hash_file=path).credentials.nt_hash == Secret("8846f7eaee8fb117ad06bdd830b7586c")
    assert connect(user="u", aes_key_file=path).credentials.aes_key == Secret("8846f7eaee8fb117ad06bdd830b7586c")
    assert connect(user="u", keytab=path).credentials.keytab == path


@pytest.mark.parametrize(
    "options",
    [
        {"ldaps": True, "starttls": True},
        {"domain": "a", "forest": "b"},
        {"user": "u", "password_env": "X", "keytab": "k"},
    ],
)
def test_options_that_exclude_each_other(options):
    with pytest.raises(InputError):
        connect(**options)


def test_address():
    connection = connect(forest="other.test", ldaps=True, gc=True, dns="192.0.2.1", site="Köln", insecure=True)
    address = connection.address
    assert (address.domain, address.protection, address.global_catalog) == ("other.test", Protection.LDAPS, True)
    assert (address.dns_server, address.site, address.verify) == ("192.0.2.1", "Köln", False)
    assert "not verified" in connection.notices[0].message


def test_a_ticket_needs_no_secret():
    assert connect().credentials.user is None
    assert connect(user="u@d", auth=AuthChoice.KERBEROS).credentials.password is None
