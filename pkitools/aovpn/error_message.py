"""Error codes as people meet them: one code in any notation, or a pasted event in which the codes are found."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Final

from pkitools import codes
from pkitools.codes import WindowsCode
from pkitools.errors import InputError
from pkitools.models.error_message import CodeMeaning, ErrorMessage
from pkitools.models.outcome import Outcome, Reason, Status

MAX_TEXT: Final = 1 << 20
_MAX_CODES: Final = 50
_MAX_TRIED: Final = 2000
# A bare number below 900 is what RAS means by it, before Win32: 211 numbers have both meanings.
_FAMILIES: Final = ("ras", "rras", "ipsec", "win32", "hresult", "ntstatus")
_HEX = re.compile(r"0[xX]([0-9A-Fa-f]{1,8})|([0-9A-Fa-f]{1,8})[hH]?")
_WORDS = r"error|err|code|failure|failed|failing|status|reason|result|returned|hresult|fehler\w*|erreur|errore|fout"
_IN_TEXT = re.compile(
    rf"(?P<hex>\b0[xX][0-9A-Fa-f]{{3,8}}\b)"
    rf"|(?P<signed>(?<![\w.-])-(?:1|2)\d{{9}}\b)"
    rf"|(?P<ipsec>(?<![\w.-])13[089]\d\d\b(?!\.\d))"
    rf"|\b(?:{_WORDS})\b[^\d\n]{{0,40}}?(?P<said>(?<![\w.-])\d{{1,10}}\b(?!\.\d))"
    rf"|(?P<name>\b(?:ERROR|CERT_E|CRYPT_E|TRUST_E|SEC_E|NTE|CERTSRV_E|STATUS|RPC_S|RPC_E|WSAE|E)_?[A-Z0-9_]{{3,60}}\b)",
    re.IGNORECASE,
)


def get_error_message(code: str | int) -> Outcome[ErrorMessage]:
    """What ``code`` means: a number, or text in hex, decimal (signed or not) or a name such as ``CERT_E_EXPIRED``.

    An unknown code is an outcome with status FINDING and no value. Raises InputError when the text is no code.
    """
    text = str(code).strip()
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9]*_\w+", text, re.ASCII):
        return _by_name(text)
    for number in _numbers(text):
        found = codes.by_number(number) or _derived(number)
        if found:
            return Outcome(text, Status.OK, _message(number, found))
    return _unknown(text)


def find_error_messages(text: str) -> Iterator[Outcome[ErrorMessage]]:
    """The codes in a pasted event or log, each once, in the order of the text; those without a meaning are left out.

    Raises InputError when there is none.
    """
    seen: set[int] = set()
    tried: set[str] = set()
    for match in _IN_TEXT.finditer(text[:MAX_TEXT]):
        token = match["name"] or match["hex"] or match["signed"] or match["ipsec"] or match["said"]
        if token in tried or len(tried) >= _MAX_TRIED:
            continue
        tried.add(token)
        try:
            outcome = get_error_message(token.upper() if match["name"] else token)
        except InputError:
            continue
        if outcome.value is None or outcome.value.error_code in seen or outcome.value.error_code == 0:
            continue
        seen.add(outcome.value.error_code)
        yield outcome
        if len(seen) >= _MAX_CODES:
            return
    if not seen:
        raise InputError("no error code found in the text", hint="give the code itself, such as 13868 or 0x80092013")


def _numbers(text: str) -> list[int]:
    """What a text may stand for, the likeliest first: unsigned 32-bit numbers."""
    if re.fullmatch(r"[+-]?\d{1,10}", text, re.ASCII):
        number = int(text)
        if -(2**31) <= number < 2**32:
            as_hex = [int(text, 16)] if text.isdigit() and len(text) <= 8 else []
            return [number & 0xFFFFFFFF, *as_hex]
    match = _HEX.fullmatch(text)
    if match is None:
        raise InputError(
            f"{text[:60]!r} is no error code",
            hint="give hex (0x80092013), decimal (13868), signed (-2146885613) or a name (CERT_E_EXPIRED)",
        )
    return [int(match[1] or match[2], 16)]


def _derived(number: int) -> tuple[WindowsCode, ...]:
    """The Win32, RAS or IPsec code inside of an HRESULT (0x8007....) or NTSTATUS (0xC007....) that carries one."""
    if number >> 16 not in (0x8007, 0xC007):
        return ()
    return tuple(code for code in codes.by_number(number & 0xFFFF) if code.family not in ("hresult", "ntstatus"))


def _by_name(name: str) -> Outcome[ErrorMessage]:
    try:
        code = codes.by_name(name.upper() if not name.isupper() else name)
    except KeyError:
        return _unknown(name)
    found = sorted(codes.by_number(code.value), key=lambda item: item.family != code.family)
    return Outcome(name, Status.OK, _message(code.value, tuple(found), first=code.family))


def _unknown(text: str) -> Outcome[ErrorMessage]:
    reason = Reason(
        "UnknownCode",
        f"{text} is in none of our tables (RAS, RRAS, IPsec, Win32, HRESULT, NTSTATUS)",
        "check the notation: 0x80092013, 13868, -2146885613",
    )
    return Outcome(text, Status.FINDING, None, reason)


def _message(number: int, found: tuple[WindowsCode, ...], first: str = "") -> ErrorMessage:
    order = sorted(found, key=lambda code: (code.family != first, _FAMILIES.index(code.family)))
    meanings = [_meaning(list(group)) for _, group in groupby(order, key=lambda code: code.family)]
    main = meanings[0]
    names = {main.name, *main.aliases}
    guided = (codes.guidance_of(code) for code in order if code.family == main.family and code.name in names)
    guidance = next((item for item in guided if item is not None), None)
    return ErrorMessage(
        error_code=number - 2**32 if number >= 2**31 else number,
        hex_code=f"0x{number:08X}",
        family=main.family,
        name=main.name,
        message=main.message,
        aliases=main.aliases,
        meaning=guidance.meaning if guidance else None,
        checks=guidance.checks if guidance else (),
        commands=guidance.commands if guidance else (),
        other_meanings=tuple(meanings[1:]),
    )


def _meaning(group: list[WindowsCode]) -> CodeMeaning:
    """One family's meaning; the marks of a range's bounds and DNS' second names come after the usual name."""
    group.sort(key=lambda code: code.name.endswith(("BASE", "BASEEND")) or code.name.startswith("DNS_ERROR"))
    text = next((text for code in group if (text := codes.text_of(code)) is not None), None)
    return CodeMeaning(group[0].family, group[0].name, tuple(code.name for code in group[1:]), text)
