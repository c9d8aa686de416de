"""Reading CLIXML, the XML in which PowerShell serializes objects: Export-Clixml, ConvertTo-CliXml, and what a native
program receives through a pipe ([MS-PSRP] 2.2.5; the element names are those of PowerShell's SerializationStrings).

Objects come as property bags; nothing is instantiated by a type name that the document chose.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias
from uuid import UUID

from pkitools.errors import FormatError
from pkitools.files.text import decode_text
from pkitools.models.secret import Secret
from pkitools.protocol.xml_tree import MAX_CHARACTERS, Element, read_xml

# None, bool, int, float, Decimal, str, bytes, datetime, timedelta, UUID, Secret, tuple, dict or PsObject
Value: TypeAlias = Any

MAX_DEPTH = 200  # elements; PowerShell stops reading at 48 objects, each of which may be four elements deep
_COLLECTION_TEXTS: dict[type, str] = {
    **dict.fromkeys((tuple, list), "System.Object[]"),
    dict: "System.Collections.Hashtable",
}
_KEYS = (str, int, float, bytes, datetime, timedelta, UUID)  # Decimal is not: a signalling NaN cannot be hashed
_TAG_LINE = "#< CLIXML"
_NEXT_DOCUMENT = re.compile(r"(?<=</Objs>)\s+(?=<)")
_ESCAPE = re.compile(r"_[xX]([0-9A-Fa-f]{4})_")


@dataclass(slots=True)
class PsObject:
    """A deserialized object.

    ``type_names`` begins with the most derived, without the prefix ``Deserialized.``; ``properties`` are the adapted
    and extended ones in the document's order; ``value`` is what it wraps (an enum's number, a list, a dictionary, the
    text of an adorned string), None for a plain bag. A back reference is the same PsObject, so a cycle is possible.
    """

    type_names: tuple[str, ...] = ()
    to_string: str | None = None
    properties: dict[str, Value] = field(default_factory=dict)
    value: Value = None

    def get(self, name: str, default: Value = None) -> Value:
        """A property's value; names are compared as PowerShell does, without regard to case."""
        folded = name.casefold()
        found = [value for key, value in self.properties.items() if key.casefold() == folded]
        return found[-1] if found else default


def text_of(value: Value) -> str:
    """How PowerShell would print a value: an enum by its name, a wrapped value as itself, $null as nothing.

    Collections by their type only: what they hold may lead back to them, or double at each of many levels.
    """
    for _ in range(MAX_DEPTH):  # an object may wrap itself
        if not isinstance(value, PsObject):
            break
        if value.to_string is not None:
            return value.to_string
        value = value.value
    if value is None or isinstance(value, PsObject):
        return ""
    return _COLLECTION_TEXTS.get(type(value)) or str(value)


def looks_like_clixml(text: str) -> bool:
    """True when a text begins as a CLIXML document or stream does."""
    head = text.removeprefix("\ufeff").lstrip()[:400]
    return head.startswith(_TAG_LINE) or re.match(r"(<\?xml[^>]*\?>\s*)?<Objs\b", head) is not None


def read_clixml(data: bytes | str) -> tuple[Value, ...]:
    """The top-level objects of a file or stream, of every document in it; a first line ``#< CLIXML`` is skipped.

    UTF-8 and UTF-16 are read with and without BOM. Raises FormatError: not CLIXML, a DTD, an unknown element, a
    malformed value, an unresolved reference, nesting or size over the caps.
    """
    text = decode_text(data) if isinstance(data, bytes) else data.removeprefix("\ufeff")
    if len(text) > MAX_CHARACTERS:
        raise FormatError(f"the CLIXML document is longer than {MAX_CHARACTERS} characters")
    text = text.strip().removeprefix(_TAG_LINE)
    documents = _NEXT_DOCUMENT.split(text.strip())
    return tuple(item for document in documents for item in _read_document(document))


def _read_document(text: str) -> list[Value]:
    root = read_xml(text, what="the CLIXML document", max_depth=MAX_DEPTH)
    if root.tag != "Objs":
        raise FormatError(f"this is not CLIXML: the root element is <{_short(root.tag)}>, not <Objs>")
    version = root.attributes.get("Version", "1")
    if not re.fullmatch(r"1(\.\d+){0,3}", version):
        raise FormatError(f"CLIXML version {_short(version)} is not known")
    document = _Document()
    return [document.value(child) for child in root.children]


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."


def unescape(text: str) -> str:
    """``_x000A_`` back into the character; two escapes of a surrogate pair are one character, a lone one is U+FFFD."""
    if "_" not in text:
        return text
    decoded = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    return decoded.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _integer(low: int, high: int) -> Callable[[str], int]:
    def convert(text: str) -> int:
        if not re.fullmatch(r"[+-]?\d{1,20}", text.strip(), re.ASCII):
            raise ValueError(text)
        number = int(text)
        if not low <= number <= high:
            raise ValueError(text)
        return number

    return convert


def _boolean(text: str) -> bool:
    return {"true": True, "false": False}[text.strip().lower()]


def _real(text: str) -> float:
    return float(text.strip().replace("INF", "Infinity") if "INF" in text else text)


def _moment(text: str) -> datetime:
    """``2026-11-25T09:30:00.1234567+01:00``: aware and in UTC; without an offset naive, since the zone is not known."""
    match = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,7})?(Z|[+-]\d\d:\d\d)?", text.strip(), re.ASCII)
    if match is None:
        raise ValueError(text)
    moment = datetime.fromisoformat(match[1] + (match[2] or "")[:7] + (match[3] or "").replace("Z", "+00:00"))
    return moment.astimezone(UTC) if moment.tzinfo else moment


_DURATION = re.compile(
    r"(-?)P(?:(\d{1,9})Y)?(?:(\d{1,9})M)?(?:(\d{1,9})D)?(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9}(?:\.\d{1,9})?)S)?)?",
    re.ASCII,
)


def _duration(text: str) -> timedelta:
    match = _DURATION.fullmatch(text.strip())
    if match is None or not any(match.groups()[1:]):
        raise ValueError(text)
    years, months, days, hours, minutes = (int(match[index] or 0) for index in range(2, 7))
    span = timedelta(  # XmlConvert counts a year as 365 and a month as 30 days
        days=365 * years + 30 * months + days, hours=hours, minutes=minutes, seconds=float(match[7] or 0)
    )
    return -span if match[1] else span


_PRIMITIVES: dict[str, Callable[[str], Value]] = {
    **dict.fromkeys(("S", "URI", "Version", "SemanticVersion", "XD", "SBK"), unescape),
    "B": _boolean,
    "By": _integer(0, 2**8 - 1),
    "SB": _integer(-(2**7), 2**7 - 1),
    "I16": _integer(-(2**15), 2**15 - 1),
    "U16": _integer(0, 2**16 - 1),
    "I32": _integer(-(2**31), 2**31 - 1),
    "U32": _integer(0, 2**32 - 1),
    "I64": _integer(-(2**63), 2**63 - 1),
    "U64": _integer(0, 2**64 - 1),
    "Sg": _real,
    "Db": _real,
    "D": lambda text: Decimal(text.strip()),
    "C": lambda text: (
        chr(_integer(0, 2**16 - 1)(text)).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    ),
    "G": lambda text: UUID(text.strip()),
    "DT": _moment,
    "TS": _duration,
    "BA": lambda text: base64.b64decode("".join(text.split()), validate=True),
    "SS": Secret,
    "Nil": lambda _text: None,
}
_SEQUENCES = ("LST", "IE", "STK", "QUE")
_ERRORS = (ValueError, KeyError, OverflowError, InvalidOperation, binascii.Error)


class _Document:
    """One document's references. Reference ids count anew in each."""

    def __init__(self) -> None:
        self._objects: dict[str, PsObject] = {}
        self._types: dict[str, tuple[str, ...]] = {}

    def value(self, element: Element) -> Value:
        tag = element.tag
        if tag in _PRIMITIVES:
            return self._primitive(element)
        if tag == "Obj":
            return self._object(element)
        if tag == "Ref":
            return self._resolve(element, self._objects)
        if tag in _SEQUENCES:
            return tuple(self.value(child) for child in element.children)
        if tag == "DCT":
            return self._dictionary(element)
        if tag == "PR":
            return PsObject(("System.Management.Automation.ProgressRecord",), None, self._progress(element))
        raise FormatError(f"CLIXML element <{_short(tag)}> in line {element.line} is not known")

    def _primitive(self, element: Element) -> Value:
        if element.children:
            raise FormatError(f"<{element.tag}> in line {element.line} of the CLIXML document must hold text only")
        try:
            return _PRIMITIVES[element.tag](element.text)
        except _ERRORS as error:
            raise FormatError(
                f"<{element.tag}> in line {element.line} of the CLIXML document holds no such value"
            ) from error

    def _resolve(self, element: Element, known: dict[str, Any]) -> Any:
        reference = element.attributes.get("RefId", "")
        if reference not in known:
            raise FormatError(
                f"reference {_short(reference)!r} in line {element.line} of the CLIXML document leads nowhere"
            )
        return known[reference]

    def _object(self, element: Element) -> PsObject:
        found = PsObject()
        if "RefId" in element.attributes:
            self._objects[element.attributes["RefId"]] = found
        for child in element.children:
            if child.tag in ("TN", "TNRef"):
                found.type_names = self._type_names(child)
            elif child.tag == "ToString":
                found.to_string = unescape(child.text)
            elif child.tag in ("MS", "Props"):
                found.properties.update(self._named(child))
            else:
                found.value = self.value(child)
        return found

    def _type_names(self, element: Element) -> tuple[str, ...]:
        if element.tag == "TNRef":
            names: tuple[str, ...] = self._resolve(element, self._types)
            return names
        names = tuple(unescape(child.text).removeprefix("Deserialized.") for child in element.find_all("T"))
        if "RefId" in element.attributes:
            self._types[element.attributes["RefId"]] = names
        return names

    def _named(self, element: Element) -> dict[str, Value]:
        named = {}
        for child in element.children:
            name = unescape(child.attributes.get("N", ""))
            if not name:
                raise FormatError(f"a property in line {child.line} of the CLIXML document has no name")
            named[name] = self.value(child)
        return named

    def _dictionary(self, element: Element) -> dict[Value, Value]:
        entries = {}
        for child in element.children:
            named = self._named(child)
            if child.tag != "En" or set(named) != {"Key", "Value"} or named["Key"] is None:
                raise FormatError(f"line {child.line} of the CLIXML document is no dictionary entry")
            key = named["Key"]
            entries[key if isinstance(key, _KEYS) else text_of(key)] = named["Value"]
        return entries

    @staticmethod
    def _progress(element: Element) -> dict[str, Value]:
        return {child.tag: unescape(child.text) for child in element.children}
