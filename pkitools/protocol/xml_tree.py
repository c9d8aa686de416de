"""Reading XML that may be hostile: no document type, so no entities of its own; bounded in size, depth and number.

The five predefined entities and character references are all that Windows' formats need (CLIXML, ProfileXML, EAP
configurations). A document with a DOCTYPE is refused before anything is expanded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from pkitools.errors import FormatError
from pkitools.files.text import decode_text

MAX_CHARACTERS = 32 * 1024 * 1024
MAX_DEPTH = 64
MAX_ELEMENTS = 500_000


@dataclass(slots=True)
class Element:
    """One element: its name without prefix, its attributes, its own text without that of its children, and its line."""

    tag: str
    attributes: dict[str, str]
    line: int
    children: list[Element] = field(default_factory=list)
    text: str = ""

    def find(self, *path: str) -> Element | None:
        """The first element at a path of child names, which are compared exactly."""
        here: Element | None = self
        for tag in path:
            here = next((child for child in here.children if child.tag == tag), None) if here else None
        return here

    def find_all(self, tag: str) -> list[Element]:
        """The children called ``tag``."""
        return [child for child in self.children if child.tag == tag]

    def walk(self) -> Iterator[Element]:
        """This element and everything below it, in the document's order."""
        stack = [self]
        while stack:
            element = stack.pop()
            yield element
            stack.extend(reversed(element.children))


class _Builder:
    def __init__(self, parser: expat.XMLParserType, max_depth: int, what: str) -> None:
        self.root: Element | None = None
        self._parser = parser
        self._max_depth = max_depth
        self._what = what
        self._open: list[tuple[Element, list[str]]] = []
        self._count = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if len(self._open) >= self._max_depth or self._count > MAX_ELEMENTS:
            raise FormatError(f"{self._what} is nested too deep or has too many elements")
        element = Element(name.rpartition(":")[2], attributes, self._parser.CurrentLineNumber)
        if self._open:
            self._open[-1][0].children.append(element)
        else:
            self.root = element
        self._open.append((element, []))

    def end(self, _name: str) -> None:
        element, texts = self._open.pop()
        element.text = "".join(texts)

    def text(self, data: str) -> None:
        self._open[-1][1].append(data)

    def doctype(self, *_details: object) -> None:
        raise FormatError(
            f"{self._what} has a document type declaration (DTD)",
            hint="Windows writes none: remove the DOCTYPE, entities are not expanded",
        )


def read_xml(data: bytes | str, *, what: str = "the XML document", max_depth: int = MAX_DEPTH) -> Element:
    """The root element of a document in any encoding that ``decode_text`` knows, whatever its declaration says.

    Raises FormatError with the line: not well-formed, a DTD, over the caps. ``what`` begins the error sentence.
    """
    text = decode_text(data) if isinstance(data, bytes) else data.removeprefix("\ufeff")
    if len(text) > MAX_CHARACTERS:
        raise FormatError(f"{what} is longer than {MAX_CHARACTERS} characters")
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    builder = _Builder(parser, max_depth, what)
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.text
    parser.StartDoctypeDeclHandler = builder.doctype
    parser.EntityDeclHandler = builder.doctype
    try:
        parser.Parse(text.lstrip().encode("utf-8", "replace"), True)
    except expat.ExpatError as error:
        reason = expat.errors.messages.get(error.code, "syntax error")
        raise FormatError(f"{what} is not well-formed XML: {reason} in line {error.lineno}") from error
    if builder.root is None:
        raise FormatError(f"{what} has no element")
    return builder.root
