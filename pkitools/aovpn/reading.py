"""Phonebooks and profiles from files, each with the NPS server's certificate held against its EAP settings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pkitools.aovpn.nps import hold_against, read_nps_chain
from pkitools.aovpn.phonebook import MAX_PHONEBOOK_BYTES
from pkitools.aovpn.phonebook_entries import read_entries
from pkitools.aovpn.profile_xml import read_profile
from pkitools.errors import InputError
from pkitools.files.reading import read_capped
from pkitools.models.outcome import Outcome, judged
from pkitools.models.phonebook import PhonebookEntry, VpnProfile


def get_phonebook(
    path: str, *, entries: tuple[str, ...] = (), nps_certificate: str | None = None
) -> Iterator[Outcome[PhonebookEntry]]:
    """The entries of the phonebook at ``path``, all or the named ones (without regard to case), as outcomes.

    ``nps_certificate`` is the path of a PEM file. Raises FileAccessError, FormatError, InputError (no such entry).
    """
    chain = read_nps_chain(read_capped(nps_certificate)) if nps_certificate else None
    found = read_entries(read_capped(path, limit=MAX_PHONEBOOK_BYTES), path)
    wanted = {name.casefold() for name in entries}
    missing = wanted - {item.name.casefold() for item in found}
    if missing:
        names = ", ".join(repr(item.name) for item in found[:10])
        raise InputError(f"the phonebook has no entry {sorted(missing)[0]!r}", hint=f"it has {names}")
    for item in found:
        if not wanted or item.name.casefold() in wanted:
            findings = item.findings + (hold_against(item.eap, chain) if chain else ())
            yield judged(path, replace(item, findings=findings), findings)


def get_profile(path: str, *, nps_certificate: str | None = None) -> Outcome[VpnProfile]:
    """The ProfileXML at ``path``. Raises FileAccessError, FormatError."""
    chain = read_nps_chain(read_capped(nps_certificate)) if nps_certificate else None
    profile = read_profile(read_capped(path), path)
    findings = profile.findings + (hold_against(profile.eap, chain) if chain else ())
    return judged(path, replace(profile, findings=findings), findings)
