"""get-error-message: what a Windows error code means, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from pkitools.models.error_message import ErrorMessage
from pkitools.models.outcome import Outcome


def get_error_message(
    codes: Annotated[
        list[str],
        typer.Argument(metavar="CODE...", help="Hex, decimal, signed, or a name; - reads a text from standard input."),
    ],
) -> Iterator[Outcome[ErrorMessage]]:
    """Explain Windows error codes.

    Takes RAS (600-878), Routing and Remote Access (900-956), IPsec (13000-13932), Win32, HRESULT and NTSTATUS codes in
    any notation, and names. Says what the code means for Always On VPN, what to check in turn, and which command
    confirms it. A bare number that is no known decimal code is tried as hex. With - the codes are found in a pasted
    event or log. An unknown code gives exit code 1.

    \b
    Examples:
      pkitools get-error-message 13868
      pkitools get-error-message 0x80092013
      pkitools get-error-message -2146762481
      pkitools get-error-message 800B010F 691 CERT_E_EXPIRED
      pkitools get-error-message - < event.txt
    """
    from pkitools.aovpn.error_message import MAX_TEXT, find_error_messages
    from pkitools.aovpn.error_message import get_error_message as explain

    for code in codes:
        if code == "-":
            yield from find_error_messages(_standard_input(MAX_TEXT))
        else:
            yield explain(code)


def _standard_input(limit: int) -> str:
    import sys

    from pkitools.files.text import decode_text

    return decode_text(sys.stdin.buffer.read(limit))
