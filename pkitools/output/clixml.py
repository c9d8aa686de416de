"""Models to CLIXML, the XML in which PowerShell keeps objects (MS-PSRP 2.2.5; the elements of SerializationStrings.cs).

The output is pure ASCII without line breaks: characters beyond ASCII are character references, control characters and
lone surrogates ``_xHHHH_``. What makes PowerShell's reader thread abort the process (an empty property name, an error
record that lacks a property) cannot be written: property names come from model fields, error records from one function.
"""

from __future__ import annotations

import base64
import dataclasses
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from enum import Enum, Flag, IntEnum
from typing import Any

from pkitools.models.outcome import Outcome
from pkitools.output.records import enum_name, outcome_values, properties

HEADER = "#< CLIXML"
_OPEN = '<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">'
_CLOSE = "</Objs>"
MAX_DEPTH = 40  # PowerShell's reader refuses more than 48 levels
_CERTIFICATE = "System.Security.Cryptography.X509Certificates.X509Certificate2"
_BASES = {_CERTIFICATE: ("System.Security.Cryptography.X509Certificates.X509Certificate",)}
_ESCAPED = re.compile(r"_(?=[xX][0-9A-Fa-f]{4}_)")
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}


def document(content: str) -> str:
    """One ``<Objs>`` document around serialized objects."""
    return f"{_OPEN}{content}{_CLOSE}"


class Writer:
    """Serializes the objects of one document: its reference numbers begin anew in the next."""

    def __init__(self) -> None:
        self._references = 0
        self._types: dict[tuple[str, ...], int] = {}

    def outcome(self, outcome: Outcome[Any], model: type, name: str | None = None) -> str:
        """The record of an outcome, with the type names of its value's class; ``name`` makes it a property."""
        pairs = [(item.name, value) for item, value in outcome_values(outcome, model)]
        return self._object(_names_of(model), pairs, name=name)

    def begin_envelope(self) -> str:
        """The start of a property bag without a class of its own."""
        return self._begin(("System.Management.Automation.PSCustomObject", "System.Object"))

    def value(self, value: Any, name: str | None = None, depth: int = 0) -> str:
        """One value as an element; ``name`` makes it a property."""
        if depth > MAX_DEPTH:
            return _element("S", name, escape("..."))
        simple = _simple(value)
        if simple is not None:
            return _element(simple[0], name, simple[1])
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            pairs = [(item.name, getattr(value, item.field)) for item in properties(_class_of(value))]
            return self._object(_names_of(type(value)), pairs, name=name, depth=depth)
        if isinstance(value, Enum):
            return self._enum(value, name)
        if isinstance(value, Mapping):
            return self._dictionary(value, name, depth)
        if isinstance(value, tuple | list | frozenset | set):
            return self._list(value, name, depth)
        raise TypeError(f"no CLIXML form for {type(value).__name__}")

    def _begin(self, types: tuple[str, ...], name: str | None = None, stream: str | None = None) -> str:
        """The start of an object. It comes before the members are made: a reference must follow what it refers to."""
        number = self._references
        self._references += 1
        attribute = f' S="{stream}"' if stream else ""
        return f'<Obj{attribute}{_name(name)} RefId="{number}">{self._type_names(types)}'

    def _type_names(self, names: tuple[str, ...]) -> str:
        """Type names, most derived first; a reference when the document has them already."""
        known = self._types.get(names)
        if known is not None:
            return f'<TNRef RefId="{known}" />'
        number = self._types[names] = len(self._types)
        return f'<TN RefId="{number}">' + "".join(f"<T>{escape(item)}</T>" for item in names) + "</TN>"

    def _object(
        self, types: tuple[str, ...], pairs: Iterable[tuple[str, Any]], *, name: str | None = None, depth: int = 0
    ) -> str:
        begin = self._begin(types, name)
        members = "".join(self.value(value, key, depth + 1) for key, value in pairs)
        return f"{begin}<MS>{members}</MS></Obj>"

    def _enum(self, value: Enum, name: str | None) -> str:
        """Flags and numbers as .NET enum objects; enums whose values are Windows' names as the string that scripts
        compare."""
        if isinstance(value.value, str) or not isinstance(value.value, int):
            return _element("S", name, escape(enum_name(value)))
        types = (f"PkiTools.{type(value).__name__}", "System.Enum", "System.ValueType", "System.Object")
        number = value.value if -0x80000000 <= value.value <= 0x7FFFFFFF else value.value - 0x100000000
        text = escape(enum_name(value))
        return f"{self._begin(types, name)}<ToString>{text}</ToString><I32>{number}</I32></Obj>"

    def _list(self, value: Iterable[Any], name: str | None, depth: int) -> str:
        types = ("System.Object[]", "System.Array", "System.Object")
        begin = self._begin(types, name)
        items = "".join(self.value(item, None, depth + 1) for item in value)
        return f"{begin}<LST>{items}</LST></Obj>"

    def _dictionary(self, value: Mapping[Any, Any], name: str | None, depth: int) -> str:
        types = ("System.Collections.Hashtable", "System.Object")
        begin = self._begin(types, name)
        entries = "".join(
            f"<En>{self.value(str(key), 'Key', depth + 1)}{self.value(item, 'Value', depth + 1)}</En>"
            for key, item in value.items()
        )
        return f"{begin}<DCT>{entries}</DCT></Obj>"

    def error(self, record: ErrorRecord) -> str:
        """An error record with every property that PowerShell requires."""
        begin = self._begin(("System.Management.Automation.ErrorRecord", "System.Object"), stream="Error")
        exception = self._object(
            ("System.Exception", "System.Object"),
            (("Message", record.message), ("HResult", record.hresult)),
            name="Exception",
        )
        rest = (
            ("TargetObject", record.target),
            ("FullyQualifiedErrorId", record.error_id),
            ("InvocationInfo", None),
            ("ErrorCategory_Category", record.category),
            ("ErrorCategory_Activity", record.activity),
            ("ErrorCategory_Reason", "Exception"),
            ("ErrorCategory_TargetName", record.target or ""),
            ("ErrorCategory_TargetType", "String"),
            ("ErrorCategory_Message", record.message),
            ("ErrorDetails_Message", None),
            ("ErrorDetails_RecommendedAction", record.hint or None),
            ("ErrorDetails_ScriptStackTrace", None),
            ("SerializeExtendedInfo", False),
        )
        members = "".join(self.value(value, key, 1) for key, value in rest)
        return f"{begin}<ToString>{escape(record.message)}</ToString><MS>{exception}{members}</MS></Obj>"

    def information(self, text: str) -> str:
        """An information record with every property that PowerShell requires; it obeys $InformationPreference."""
        begin = self._begin(("System.Management.Automation.InformationRecord", "System.Object"), stream="Information")
        pairs: tuple[tuple[str, Any], ...] = (
            ("MessageData", text),
            ("Source", "pkitools"),
            ("TimeGenerated", datetime.now(UTC)),
            ("Tags", ()),
            ("User", ""),
            ("Computer", ""),
        )
        members = "".join(self.value(value, key, 1) for key, value in pairs)
        numbers = "".join(_element("U32", key, "0") for key in ("ProcessId", "NativeThreadId", "ManagedThreadId"))
        return f"{begin}<ToString>{escape(text)}</ToString><MS>{members}{numbers}</MS></Obj>"


@dataclasses.dataclass(frozen=True, slots=True)
class ErrorRecord:
    """What an error record says. ``category`` is a number of System.Management.Automation.ErrorCategory."""

    message: str
    error_id: str
    category: int
    target: str | None = None
    activity: str = ""
    hresult: int = -0x7FFFBFFB
    hint: str = ""


def _class_of(value: Any) -> type:
    found: type = type(value)
    return found


def _names_of(model: type) -> tuple[str, ...]:
    own = getattr(model, "PS_TYPE", f"PkiTools.{model.__name__}")
    return (own, *_BASES.get(own, ()), "System.Object")


def _simple(value: Any) -> tuple[str, str] | None:
    """Element and text of a primitive value; None for everything else."""
    match value:
        case None:
            return "Nil", ""
        case bool():
            return "B", "true" if value else "false"
        case str() if not isinstance(value, Enum):
            return "S", escape(value)
        case Flag() | IntEnum():
            return None
        case int():
            return _integer(value)
        case float():
            return "Db", repr(value).replace("inf", "Infinity").replace("nan", "NaN")
        case datetime():
            return "DT", _time(value)
        case date():
            return "S", value.isoformat()
        case timedelta():
            return (
                "TS",
                f"PT{value.total_seconds():.7f}S" if value >= timedelta() else f"-PT{-value.total_seconds():.7f}S",
            )
        case bytes():
            return "BA", base64.b64encode(value).decode("ascii")
    return None


def _integer(value: int) -> tuple[str, str]:
    if -0x80000000 <= value <= 0x7FFFFFFF:
        return "I32", str(value)
    if -(1 << 63) <= value < 1 << 63:
        return "I64", str(value)
    return "S", str(value)


def _time(value: datetime) -> str:
    """UTC with ``+00:00``: PowerShell makes it local time, as .NET's own NotAfter is, so that date arithmetic holds."""
    moment = value.astimezone(UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06d}0+00:00" if moment.year >= 1000 else _early(moment)


def _early(moment: datetime) -> str:
    """strftime does not pad years below 1000 everywhere."""
    return f"{moment.year:04d}-{moment:%m-%dT%H:%M:%S}.{moment.microsecond:06d}0+00:00"


def _element(tag: str, name: str | None, text: str) -> str:
    return f"<{tag}{_name(name)} />" if tag == "Nil" else f"<{tag}{_name(name)}>{text}</{tag}>"


def _name(name: str | None) -> str:
    if name is None:
        return ""
    if not name:
        raise ValueError("a property without a name would abort PowerShell")
    return f' N="{escape(name)}"'


def escape(text: str) -> str:
    """Text for CLIXML: ``_xHHHH_`` for what XML cannot hold, references for what is not ASCII."""
    if text.isascii() and text.isalnum():
        return text
    text = _ESCAPED.sub("_x005F_", text)
    text = _UNSAFE.sub(lambda match: f"_x{ord(match.group()):04X}_", text)
    for character, entity in _ENTITIES.items():
        text = text.replace(character, entity)
    return text.encode("ascii", "xmlcharrefreplace").decode("ascii")
