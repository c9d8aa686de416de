"""What a user may write for a server: host, host:port, [v6]:port, an https address, an IP address, an IDN name."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from typing import NamedTuple

from pkitools.errors import InputError
from pkitools.trust import ascii_name

DEFAULT_PORT = 443
MAX_TARGETS = 100_000

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)
_INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zs", "Zl", "Zp")
_FORMS = "write host, host:port, [IPv6]:port or https://host:port/"


class Target(NamedTuple):
    """A server as named by the user (``text``); ``host`` is what to resolve, to send as SNI and to match.

    ``host`` is lower-case ASCII (an IDN in its A-labels) without trailing dot, or a
    numeric address without brackets.
    """

    text: str
    host: str
    port: int = DEFAULT_PORT

    @property
    def is_address(self) -> bool:
        """Whether the host is a numeric address: then no SNI is sent (RFC 6066 3)."""
        return _address(self.host) is not None

    @property
    def authority(self) -> str:
        """``host:port`` with brackets around an IPv6 address."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def uri(self) -> str:
        """The https address, with the port only where it is not 443."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"https://{host}/" if self.port == DEFAULT_PORT else f"https://{host}:{self.port}/"


def parse_target(text: str) -> Target:
    """Takes one target apart. Raises InputError saying what is wrong with it."""
    rest = text.strip()
    scheme = _SCHEME.fullmatch(rest)
    if scheme is not None:
        if scheme[1].lower() != "https":
            raise _bad(text, f"{scheme[1]} is not https")
        rest = re.split(r"[/?#]", scheme[2], maxsplit=1)[0]
        if "@" in rest:
            raise _bad(text, "a user name does not belong here")
    host, port = _split_port(text, rest)
    return Target(text.strip(), normalise_host(host, text), port)


def normalise_host(host: str, text: str | None = None) -> str:
    """A host name in the form of ``Target.host``. Raises InputError naming ``text`` (by default the host itself)."""
    text = host if text is None else text
    address = _address(host)
    if address is not None:
        return address
    if not host:
        raise _bad(text, "the host name is missing")
    name = _to_ascii(host, text)
    labels = name.split(".")
    for label in labels:
        if not _LABEL.fullmatch(label):
            raise _bad(text, f"{label!r} is not allowed in a host name")
    if labels[-1].isdigit():
        raise _bad(text, "it looks like an IPv4 address and is none")
    return name


def read_target_lines(text: str) -> list[tuple[int, str]]:
    """The targets of a list, each with its line number: one per line, ``#`` begins a comment, empty lines are skipped.

    Raises InputError over 100,000 targets.
    """
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        content = line.split("#", 1)[0].strip()
        if content:
            found.append((number, content))
    if len(found) > MAX_TARGETS:
        raise InputError(f"{len(found)} targets: more than {MAX_TARGETS} in one run are not taken")
    return found


def _split_port(text: str, rest: str) -> tuple[str, int]:
    if rest.startswith("["):
        host, closing, tail = rest[1:].partition("]")
        if not closing or (tail and not tail.startswith(":")):
            raise _bad(text, "the brackets do not fit")
        if ":" not in host or _address(host) is None:
            raise _bad(text, f"{host!r} in brackets is not an IPv6 address")
        return host, _port(text, tail[1:]) if tail else DEFAULT_PORT
    if _address(rest) is not None:
        return rest, DEFAULT_PORT
    host, colon, port = rest.rpartition(":")
    if not colon:
        return rest, DEFAULT_PORT
    if ":" in host:
        raise _bad(text, "an IPv6 address with a port needs brackets: [address]:port")
    return host, _port(text, port)


def _port(text: str, digits: str) -> int:
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 5 and 1 <= int(digits) <= 65535):
        raise _bad(text, f"{digits!r} is not a port between 1 and 65535")
    return int(digits)


def _address(host: str) -> str | None:
    """The address in its usual form; None when it is none."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    return str(address)


def _to_ascii(host: str, text: str) -> str:
    if any(unicodedata.category(character) in _INVISIBLE for character in host):
        raise _bad(text, "a blank, control or unassigned character is not allowed in a host name")
    try:
        return ascii_name(host)
    except InputError as error:
        raise _bad(text, error.message) from error


def _bad(text: str, why: str) -> InputError:
    return InputError(f"{text!r} is not a target: {why}", hint=_FORMS, error_id="InvalidTarget")
