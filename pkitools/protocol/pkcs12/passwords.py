"""The octets that a password stands for. PKCS #12 wants UTF-16BE with a terminator, PBES2 wants UTF-8, and old programs
wrote neither: the forms they left behind are tried after the right one, and named when they open a file.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from pkitools.models.secret import Secret


class PasswordForm(Enum):
    """The form of the password that opened a file; all but STANDARD are worth a note."""

    STANDARD = "Standard"
    EMPTY = "Empty"
    ABSENT = "Absent"
    UTF8_AS_LATIN1 = "Utf8AsLatin1"
    LATIN1 = "Latin1"


FORM_NOTES = {
    PasswordForm.UTF8_AS_LATIN1: "its writer took the password's UTF-8 octets for Latin-1 (OpenSSL before 1.1)",
    PasswordForm.LATIN1: "its writer used the password's Latin-1 octets where UTF-8 belongs",
    PasswordForm.ABSENT: "it is protected by no password, which differs from an empty one",
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """One form of one password: ``wide`` for the PKCS #12 derivation, ``narrow`` for PBES2, PBMAC1 and PBES1."""

    form: PasswordForm
    wide: bytes = field(repr=False)
    narrow: bytes = field(repr=False)


def candidates(passwords: Iterable[Secret]) -> list[Candidate]:
    """All forms to try, the likely ones first. No password counts as an empty one."""
    texts = [password.reveal() for password in passwords] or [""]
    usual = [one for text in texts for one in _usual(text)]
    return usual + [one for text in texts if not text.isascii() for one in _odd(text)]


def _usual(text: str) -> list[Candidate]:
    if text:
        return [Candidate(PasswordForm.STANDARD, wide(text), narrow(text))]
    return [Candidate(PasswordForm.EMPTY, b"\0\0", b""), Candidate(PasswordForm.ABSENT, b"", b"")]


def _odd(text: str) -> list[Candidate]:
    broken = narrow(text).decode("latin-1")
    found = [Candidate(PasswordForm.UTF8_AS_LATIN1, wide(broken), narrow(broken))]
    if max(text) <= "\xff":
        found.append(Candidate(PasswordForm.LATIN1, wide(text), text.encode("latin-1")))
    return found


def wide(text: str) -> bytes:
    """RFC 7292 B.1: UTF-16BE with its terminator; characters over U+FFFF as surrogate pairs."""
    return text.encode("utf-16-be", "surrogatepass") + b"\0\0"


def narrow(text: str) -> bytes:
    """UTF-8, as PBES2 in a PFX is used (RFC 9879 4 says so; RFC 8018 leaves it open)."""
    return text.encode("utf-8", "surrogatepass")
