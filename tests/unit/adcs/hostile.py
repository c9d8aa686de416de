"""A directory whose every value may be broken, for the test suite's slice and for scripts/fuzz/directory.py."""

from __future__ import annotations

import random
from collections.abc import Iterator

from pkitools.adcs.checks import addresses, check_cas, read_trust
from pkitools.adcs.discovery import ca_outcome, find_ca_templates, find_cas, find_templates
from pkitools.models.ca import CATemplate, CertificationAuthority
from pkitools.models.template import CertificateTemplate
from pkitools.output.json_format import NdjsonFormat
from pkitools.output.text import TextFormat
from pkitools.protocol.ldap.messages import Entry
from tests.unit.adcs.memory_directory import MemoryDirectory

_NASTY = (
    b"",
    b"\0",
    b"`",
    b"-2147483648",
    b"2147483648",
    b"-0",
    b"9" * 400,
    b"\xff\xfe\xfd",
    b"\x1b[31mred\x1b[0m\r\n",
    "\u202egnp.exe 🔥".encode(),
    b"a`PZPWSTR`b`",
    b"\x30\x82\xff\xff",
    b"\x01\x00\x04\x80" + b"\xff" * 16,
    b"!d800!dc",
    b"1\n2\n0\nx\n9999999999",
)


class HostileDirectory(MemoryDirectory):
    """Changes a share of all values while it answers."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self._chance = chance
        self._share = chance.choice((0.02, 0.2, 0.9))

    def search(self, *arguments, **options) -> Iterator[Entry]:  # noqa: ANN002, ANN003
        for entry in super().search(*arguments, **options):
            attributes = {}
            for name, values in entry.attributes.items():
                if self._chance.random() < self._share and name != "objectClass":
                    attributes[name] = tuple(self._broken(value) for value in values)
                elif self._chance.random() > self._share / 4:
                    attributes[name] = values
            dn = (
                entry.dn
                if self._chance.random() > self._share / 4
                else self._broken(entry.dn.encode()).decode("latin-1")
            )
            yield Entry(dn, attributes)

    def _broken(self, value: bytes) -> bytes:
        kind = self._chance.randrange(4)
        if kind == 0 or not value:
            return self._chance.choice(_NASTY)
        at = self._chance.randrange(len(value))
        if kind == 1:
            return value[:at]
        if kind == 2:
            return value[:at] + bytes([self._chance.randrange(256)]) + value[at + 1 :]
        return value[:at] + self._chance.choice(_NASTY) + value[at:]


def attack(chance: random.Random) -> None:
    """Everything that the three commands do with such a directory, down to the printed text."""
    directory = HostileDirectory(chance)
    cas = find_cas(directory)
    checked = check_cas(cas, read_trust(directory), {}, {})
    addresses(cas)
    printed = [
        (CertificationAuthority, "certification_authority", map(ca_outcome, checked)),
        (CertificateTemplate, "certificate_template", find_templates(directory, always_on_vpn=True)),
        (CATemplate, "ca_template", find_ca_templates(directory, ["*", "nobody"])),
    ]
    for model, view, outcomes in printed:
        texts = [
            form
            for many in (False, True)
            for form in [TextFormat(model, f"pkitools.output.views.{view}", many=many, colour=False)]
        ]
        records = NdjsonFormat(model)
        for outcome in outcomes:
            assert records.outcome(outcome).isascii()
            for form in texts:
                _printable(form.outcome(outcome))
        for form in texts:
            _printable(form.end())


def _printable(text: str) -> None:
    assert all(character.isprintable() or character == "\n" for character in text), repr(text)
