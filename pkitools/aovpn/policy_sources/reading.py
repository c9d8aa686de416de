"""Finds out what a source of IPsec policies is, and reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pkitools.aovpn.phonebook_entries import read_entries
from pkitools.aovpn.policy import BASELINES, baseline
from pkitools.aovpn.policy_sources.logs import looks_like_log, read_log
from pkitools.aovpn.policy_sources.powershell import read_powershell
from pkitools.aovpn.policy_sources.source import PolicySource, client_default, of_named, of_policy
from pkitools.aovpn.policy_sources.swan import looks_like_ipsec_conf, looks_like_swanctl, read_ipsec_conf, read_swanctl
from pkitools.aovpn.profile_xml import looks_like_profile, read_profile
from pkitools.aovpn.proposals import ike_proposals_of
from pkitools.errors import FormatError, InputError
from pkitools.files.reading import read_capped
from pkitools.files.text import decode_text
from pkitools.models.phonebook import PhonebookEntry

MAX_SOURCE_BYTES: Final = 16 * 1024 * 1024
_IKE: Final = "ike:"


def read_source(
    text: str,
    *,
    client: bool,
    entry: str | None = None,
    connection: str | None = None,
    timeout: float = 10.0,
    data: bytes | None = None,
) -> PolicySource:
    """The policies that ``text`` names: a baseline, ``ike:HOST``, or a file (``data`` is its content when it is read
    already). ``client`` tells which side it is to stand for.

    Raises InputError, FormatError, FileAccessError, and what the probe raises.
    """
    if data is None:
        if text.strip().lower() in BASELINES:
            return of_named(baseline(text))
        if text.lower().startswith(_IKE):
            return _probed(text[len(_IKE) :], timeout)
        if not Path(text).exists() and "/" not in text and "." not in text:
            raise InputError(f"{text!r} is no file and no baseline", hint=f"baselines: {', '.join(BASELINES)}")
        data = read_capped(text, limit=MAX_SOURCE_BYTES)
    return _of_file(text, data, client=client, entry=entry, connection=connection)


def _probed(host: str, timeout: float) -> PolicySource:
    from pkitools.aovpn.ike.run import accepted_policies

    policies = accepted_policies(host, timeout=timeout)
    notes: tuple[str, ...] = ("child policy, PFS and NPS are not visible without credentials",)
    if not policies:
        notes = ("the server accepts none of the 168 IKE policies that Windows can express", *notes)
    return PolicySource(f"IKE probe of {host}", ike_proposals_of(policies), None, notes=notes)


def _of_file(path: str, data: bytes, *, client: bool, entry: str | None, connection: str | None) -> PolicySource:
    text = decode_text(data)
    if looks_like_profile(text):
        return _client_only(client, _of_profile(path, data))
    if _is_phonebook(path, text):
        return _client_only(client, _of_phonebook(data, entry))
    if looks_like_swanctl(text):
        return read_swanctl(text, connection)
    if looks_like_ipsec_conf(text):
        return read_ipsec_conf(text, connection)
    if looks_like_log(text):
        return read_log(text, client=client)
    return read_powershell(text, client=client)


def _client_only(client: bool, source: PolicySource) -> PolicySource:
    if not client:
        raise InputError(f"{source.kind} is a client's, not a server's", hint="give CLIENT first, SERVER second")
    return source


def _is_phonebook(path: str, text: str) -> bool:
    lines = [line.strip() for line in text.splitlines()[:4000]]
    has_entry = any(line.startswith("[") and line.endswith("]") for line in lines)
    known = any(line.startswith(("PBVersion=", "MEDIA=")) for line in lines)
    return has_entry and (known or path.lower().endswith(".pbk"))


def _of_profile(path: str, data: bytes) -> PolicySource:
    profile = read_profile(data, path)
    name = profile.profile_name or ""
    wrong = [item.message for item in profile.findings if item.id in ("InvalidValue", "IncompleteCryptographySuite")]
    suite = [text for text in wrong if "CryptographySuite" in text]
    if suite:
        raise FormatError(suite[0], hint="see pkitools get-profile")
    protocol = profile.native_protocol_type or ""
    if profile.ipsec_policy is not None and protocol.lower() == "automatic":
        return client_default("NativeProtocolType Automatic ignores the CryptographySuite", name=name)
    if profile.ipsec_policy is None:
        return client_default("the ProfileXML has no CryptographySuite", name=name)
    return of_policy(profile.ipsec_policy, "ProfileXML", name=name)


def _of_phonebook(data: bytes, entry: str | None) -> PolicySource:
    found = _chosen(read_entries(data), entry)
    notes = tuple(item.message for item in found.findings if item.id == "PolicyCodeNotSeen")
    unreadable = next((item for item in found.findings if item.id == "IPsecPolicyUnreadable"), None)
    if unreadable is not None:
        raise FormatError(f"[{found.name}]: {unreadable.message}", hint=unreadable.next_step)
    if found.ipsec_policy is not None:
        return of_policy(found.ipsec_policy, f"rasphone.pbk, entry {found.name}", name=found.name, notes=notes)
    if found.ipsec_policy_codes:
        raise FormatError(f"[{found.name}] has a custom policy with an unknown value: {'; '.join(notes)}")
    return client_default(f"the entry {found.name} has no custom policy", name=found.name)


def _chosen(entries: tuple[PhonebookEntry, ...], name: str | None) -> PhonebookEntry:
    found = [item for item in entries if name is None or item.name.casefold() == name.casefold()]
    if len(found) == 1:
        return found[0]
    names = ", ".join(repr(item.name) for item in entries[:10])
    what = f"no entry {name!r}" if name and not found else f"which of {len(found)} entries?"
    raise InputError(what, hint=f"give --entry; the phonebook has {names}")
