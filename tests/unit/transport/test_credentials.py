"""Credentials: which parts fit together, how a user is written, and that secrets stay unseen."""

from __future__ import annotations

from pathlib import Path

import pytest

from pkitools.errors import InputError
from pkitools.models.secret import Secret
from pkitools.transport.credentials import AuthMethod, Credentials

HASH = "8846F7EAEE8FB117AD06BDD830B7586C"


@pytest.mark.parametrize(
    ("user", "name", "domain"),
    [
        ("AD\\björn", "björn", "AD"),
        ("ad.example.test\\björn", "björn", "ad.example.test"),
        ("björn@ad.example.test", "björn", "ad.example.test"),
        ("a@b@ad.example.test", "a@b", "ad.example.test"),
        ("svc-🔑", "svc-🔑", None),
    ],
)
def test_user_forms(user, name, domain):
    credentials = Credentials(user=user, password=Secret("x"))
    assert (credentials.name, credentials.domain) == (name, domain)


@pytest.mark.parametrize(
    "parts",
    [
        {"password": Secret("x")},
        {"user": "u", "password": Secret("x"), "keytab": Path("k")},
        {"user": "AD\\", "password": Secret("x")},
        {"user": "u", "password": Secret("")},
        {"user": "u", "nt_hash": Secret("12")},
        {"user": "u", "nt_hash": Secret(HASH[:-1] + "x")},
        {"user": "u", "aes_key": Secret(HASH + "00")},
        {"user": "u", "method": AuthMethod.SIMPLE},
        {"user": "u", "aes_key": Secret(HASH), "method": AuthMethod.NTLM},
    ],
)
def test_parts_that_do_not_fit(parts):
    with pytest.raises(InputError) as caught:
        Credentials(**parts)
    assert caught.value.hint
    assert HASH[:-1] not in str(caught.value)


def test_hash_with_its_lm_half():
    credentials = Credentials(user="u", nt_hash=Secret(f"aad3b435b51404eeaad3b435b51404ee:{HASH}"))
    assert credentials.nt_hash_digits == Secret(HASH)


def test_no_secret_is_printed():
    text = repr(Credentials(user="u", nt_hash=Secret(HASH)))
    assert HASH not in text
    assert "********" in text
