"""rasphone.pbk as lines: an editor that changes the bytes of one value and keeps every other byte.

The file is a row of entries ``[name]``, each with a main group of ``Key=Value`` lines and groups for networking
components, media and devices, which repeat and in which the case of a key matters (``DEVICE=`` beside ``Device=``).
Windows writes UTF-8 without BOM and CRLF; whatever is found is kept. No specification: the order of the keys and the
encodings are those of files that Windows wrote.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from pkitools.errors import FormatError, InputError
from pkitools.files.text import encoding_of
from pkitools.models.phonebook import SettingChange

MAX_PHONEBOOK_BYTES = 32 * 1024 * 1024

# The keys of the main group as PBVersion 8 orders them; older versions lack some and keep the order.
MAIN_KEYS: Final = tuple(
    """
    Encoding PBVersion Type AutoLogon UseRasCredentials LowDateTime HighDateTime DialParamsUID Guid VpnStrategy
    ExcludedProtocols LcpExtensions DataEncryption SwCompression NegotiateMultilinkAlways SkipDoubleDialDialog DialMode
    OverridePref RedialAttempts RedialSeconds IdleDisconnectSeconds RedialOnLinkFailure CallbackMode CustomDialDll
    CustomDialFunc CustomRasDialDll ForceSecureCompartment DisableIKENameEkuCheck AuthenticateServer ShareMsFilePrint
    BindMsNetClient SharedPhoneNumbers GlobalDeviceSettings PrerequisiteEntry PrerequisitePbk PreferredPort
    PreferredDevice PreferredBps PreferredHwFlow PreferredProtocol PreferredCompression PreferredSpeaker
    PreferredMdmProtocol PreviewUserPw PreviewDomain PreviewPhoneNumber ShowDialingProgress ShowMonitorIconInTaskBar
    CustomAuthKey CustomAuthData AuthRestrictions IpPrioritizeRemote IpInterfaceMetric IpHeaderCompression IpAddress
    IpDnsAddress IpDns2Address IpWinsAddress IpWins2Address IpAssign IpNameAssign IpDnsFlags IpNBTFlags TcpWindowSize
    UseFlags IpSecFlags IpDnsSuffix Ipv6Assign Ipv6Address Ipv6PrefixLength Ipv6PrioritizeRemote Ipv6InterfaceMetric
    Ipv6NameAssign Ipv6DnsAddress Ipv6Dns2Address Ipv6Prefix Ipv6InterfaceId DisableClassBasedDefaultRoute
    DisableMobility NetworkOutageTime IDI IDR ImsConfig IdiType IdrType ProvisionType PreSharedKey CacheCredentials
    NumCustomPolicy CustomIPSecPolicies NumEku UseMachineRootCert Disable_IKEv2_Fragmentation PlumbIKEv2TSAsRoutes
    NumServers ServerListServerName ServerListFriendlyName RouteVersion NumRoutes NumNrptRules NrptRules
    AutoTiggerCapable NumAppIds NumClassicAppIds SecurityDescriptor ApnInfoProviderId ApnInfoUsername ApnInfoPassword
    ApnInfoAccessPoint ApnInfoAuthentication ApnInfoCompression DeviceComplianceEnabled DeviceComplianceSsoEnabled
    DeviceComplianceSsoEku DeviceComplianceSsoIssuer FlagsSet Options DisableDefaultDnsSuffixes NumTrustedNetworks
    TrustedNetworks NumDnsSearchSuffixes DnsSuffixSearchList PowershellCreatedProfile ProxyFlags ProxySettingsModified
    ProvisioningAuthority AuthTypeOTP GREKeyDefined NumPerAppTrafficFilters AlwaysOnCapable DeviceTunnel PrivateNetwork
    ManagementApp
    """.split()  # noqa: SIM905 - a hundred quoted words are no list to read
)
_RANK: Final = {key.casefold(): rank for rank, key in enumerate(MAIN_KEYS)}
_GROUP_STARTS: Final = ("NETCOMPONENTS=", "MEDIA=", "DEVICE=")
_SECTION = re.compile(r"[ \t]*\[(.*)\][ \t]*\r?")


@dataclass(frozen=True, slots=True)
class Section:
    """An entry's place in the file: ``start`` is the line of its name, ``main_end`` the line after its main group."""

    name: str
    start: int
    main_end: int
    end: int


class Phonebook:
    """A phonebook in memory. ``to_bytes`` gives back what was read, but for the values that ``edit`` changed."""

    def __init__(self, data: bytes) -> None:
        """Reads the bytes of a file. Raises FormatError when they hold no entry or are too many."""
        if len(data) > MAX_PHONEBOOK_BYTES:
            raise FormatError(f"the phonebook is larger than {MAX_PHONEBOOK_BYTES} bytes")
        self._codec, bom = encoding_of(data)
        self._bom = data[:bom]
        wide = self._codec.startswith("utf-16")
        odd = (len(data) - bom) % 2 if wide else 0
        self._tail = data[len(data) - odd :] if odd else b""
        # 8-bit texts are held as Latin-1, in which every byte is one character: so nothing is ever re-encoded
        self._storage = self._codec if wide else "latin-1"
        text = data[bom : len(data) - odd].decode(self._storage, "surrogatepass" if wide else "strict")
        self._lines = text.split("\n")  # a line keeps its CR
        self.sections = self._find_sections()
        if not self.sections:
            raise FormatError(
                "this is no phonebook: it has no [entry]", hint="rasphone.pbk holds one [name] per connection"
            )

    def to_bytes(self) -> bytes:
        """The file's content."""
        text = "\n".join(self._lines)
        errors = "surrogatepass" if self._storage.startswith("utf-16") else "strict"
        return self._bom + text.encode(self._storage, errors) + self._tail

    def shown_lines(self) -> list[str]:
        """The lines for eyes, without line ends."""
        return [self._shown(line.removesuffix("\r")) for line in self._lines]

    def _shown(self, text: str) -> str:
        if self._storage != "latin-1":
            return text.encode("utf-16-le", "replace").decode("utf-16-le", "replace")
        raw = text.encode("latin-1")
        if self._codec == "utf-8":
            return raw.decode("utf-8", "replace")
        return raw.decode("cp1252", "replace")

    def _stored(self, text: str) -> str:
        """A value as this file spells it. Raises InputError when its encoding has no such character."""
        if self._storage != "latin-1":
            return text
        try:
            return text.encode("utf-8" if self._codec == "utf-8" else "cp1252").decode("latin-1")
        except UnicodeEncodeError as error:
            raise InputError(f"{text!r} cannot be written in this phonebook's encoding") from error

    def _find_sections(self) -> tuple[Section, ...]:
        lines = self._lines
        brackets = [index for index, line in enumerate(lines) if line[:1] in "[ \t" and line.lstrip(" \t")[:1] == "["]
        starts = [(index, match) for index in brackets if (match := _SECTION.fullmatch(lines[index]))]
        ends = [index for index, _ in starts[1:]] + [len(lines)]
        return tuple(
            Section(self._shown(match[1]), start, self._main_end(start + 1, end), end)
            for (start, match), end in zip(starts, ends, strict=False)  # no entry: no start, one end
        )

    def _main_end(self, start: int, end: int) -> int:
        return next((index for index in range(start, end) if self._lines[index].startswith(_GROUP_STARTS)), end)

    def select(self, name: str) -> Section:
        """The entry called ``name``: exactly, else without regard to case, as Windows compares.

        Raises InputError: no such entry, or more than one.
        """
        exact = [section for section in self.sections if section.name == name]
        found = exact or [section for section in self.sections if section.name.casefold() == name.casefold()]
        if len(found) == 1:
            return found[0]
        if found:
            lines = ", ".join(str(section.start + 1) for section in found)
            raise InputError(
                f"the phonebook has {len(found)} entries called {name!r} (lines {lines})",
                hint="use --all, or remove one of them",
            )
        names = ", ".join(repr(section.name) for section in self.sections[:10])
        raise InputError(f"the phonebook has no entry {name!r}", hint=f"it has {names}")

    def values(self, section: Section, key: str) -> list[str]:
        """Every value of a key in the entry's main group, in the file's order; empty when it is absent.

        Keys of the main group are compared without regard to case.
        """
        wanted = key.casefold()
        keys = self._main_keys(section)
        return [self._value(section.start + 1 + place) for place, found in enumerate(keys) if found == wanted]

    def device_values(self, section: Section, key: str) -> list[str]:
        """Every value of a key in the groups after the main one (``PhoneNumber``), compared with its case."""
        places = range(section.main_end, section.end)
        return [self._value(index) for index in places if self._lines[index].partition("=")[0] == key]

    def main_values(self, section: Section) -> dict[str, list[str]]:
        """The main group: folded key -> values in the file's order."""
        found: dict[str, list[str]] = {}
        for place, key in enumerate(self._main_keys(section)):
            if key:
                found.setdefault(key, []).append(self._value(section.start + 1 + place))
        return found

    def _main_keys(self, section: Section) -> list[str]:
        lines = self._lines[section.start + 1 : section.main_end]
        return [line.partition("=")[0].strip().casefold() if "=" in line else "" for line in lines]

    def _value(self, index: int) -> str:
        return self._shown(self._lines[index].partition("=")[2].strip())

    def edit(self, indexes: Iterable[int], values: Mapping[str, str]) -> list[SettingChange]:
        """Give keys of the main groups of some entries (indexes into ``sections``) these values.

        Each line that has the key gets the value, so that it does not matter which of two Windows reads; an absent key
        is inserted where Windows writes it: after the nearest earlier key of its order. Returns one change per entry
        and key, in the file's order.
        """
        stored = {key: self._stored(value) for key, value in values.items()}
        changes: list[SettingChange] = []
        before = len(self._lines)
        for index in sorted(
            set(indexes), reverse=True
        ):  # from the end, so that insertions move nothing that is to come
            section = self.sections[index]
            changes[:0] = [
                self._set(section, key, value, offset) for offset, key, value in self._steps(section, stored)
            ]
        if len(self._lines) != before:
            self.sections = self._find_sections()
        return changes

    def _steps(self, section: Section, stored: Mapping[str, str]) -> Iterator[tuple[int, str, str]]:
        """The keys to set with the number of lines that the group has grown by meanwhile."""
        before = len(self._lines)
        for key, value in stored.items():
            yield len(self._lines) - before, key, value

    def _set(self, section: Section, key: str, stored: str, grown: int) -> SettingChange:
        section = replace(section, main_end=section.main_end + grown)
        places = self._places(section, key)
        if not places:
            self._insert(section, self._main_keys(section), key, stored)
            return SettingChange(section.name, key, None, self._shown(stored), changed=True)
        before = [self._lines[place].partition("=")[2].strip() for place in places]
        for place in places:
            self._replace_value(place, stored)
        shown = ", ".join(dict.fromkeys(self._shown(value) for value in before))
        return SettingChange(
            section.name, key, shown, self._shown(stored), changed=any(value != stored for value in before)
        )

    def _places(self, section: Section, key: str) -> list[int]:
        """The lines of the main group that have a key: as Windows writes it, else with blanks around the key."""
        lines, start, size = self._lines, section.start + 1, len(key) + 1
        wanted = f"{key.casefold()}="
        places = [index for index in range(start, section.main_end) if lines[index][:size].casefold() == wanted]
        if places:
            return places
        return [start + place for place, found in enumerate(self._main_keys(section)) if found == wanted[:-1]]

    def _replace_value(self, place: int, stored: str) -> None:
        name, equals, old = self._lines[place].partition("=")
        if old.strip() != stored:
            self._lines[place] = name + equals + stored + ("\r" if old.endswith("\r") else "")

    def _insert(self, section: Section, keys: list[str], key: str, stored: str) -> None:
        rank = _RANK[key.casefold()]
        place, best = section.start, -1
        for offset, other in enumerate(keys):
            if best <= _RANK.get(other, -2) < rank:
                place, best = section.start + 1 + offset, _RANK[other]
        line = f"{key}={stored}"
        if place + 1 < len(self._lines):
            self._lines.insert(place + 1, line + ("\r" if self._lines[place].endswith("\r") else ""))
            return
        # the file's last line has no end: it gets the one of the first, the new last line gets none
        crlf = self._lines[0].endswith("\r") or len(self._lines) == 1
        self._lines[place] += "\r" if crlf and not self._lines[place].endswith("\r") else ""
        self._lines.append(line)


def joined_hex(values: list[str]) -> bytes | None:
    """The bytes of a value that is wrapped into several ``Key=`` lines of hex; None when it is not hex."""
    text = "".join(values)
    try:
        return bytes.fromhex(text) if text.isascii() and not re.search(r"\s", text) else None
    except ValueError:
        return None


def utf16_names(data: bytes) -> tuple[str, ...]:
    """The names in a block of UTF-16LE texts that zeros end and fill up (TrustedNetworks, DnsSuffixSearchList)."""
    text = data[: len(data) // 2 * 2].decode("utf-16-le", "replace")
    return tuple(name for name in text.split("\0") if name)
