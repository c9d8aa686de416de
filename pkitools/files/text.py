"""Text that Windows wrote: UTF-8 with and without BOM, UTF-16 in both orders, and ANSI as the last resort."""

from __future__ import annotations

import codecs

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def encoding_of(data: bytes) -> tuple[str, int]:
    """The codec of a text and the length of its BOM.

    Without a BOM: UTF-16 when a third of the characters of the beginning have a zero byte, else UTF-8 when it is valid,
    else Latin-1 as the stand-in for whatever ANSI code page wrote it (every byte has a character: nothing is lost).
    """
    for bom, codec in _BOMS:
        if data.startswith(bom):
            return codec, len(bom)
    head = data[:4096]
    low, high = head[0::2].count(0), head[1::2].count(0)
    if len(head) >= 4 and len(data) % 2 == 0 and max(low, high) > len(head) // 6:
        return ("utf-16-le", 0) if high > low else ("utf-16-be", 0)
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "latin-1", 0
    return "utf-8", 0


def decode_text(data: bytes) -> str:
    """The text without its BOM. Never fails: a broken UTF-16 sequence becomes the replacement character."""
    codec, bom = encoding_of(data)
    return data[bom:].decode(codec, "replace")
