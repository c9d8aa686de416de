"""``pem-to-pfx`` as text: the file, for whom it is, what is in it, and who cannot open it."""

from __future__ import annotations

from pkitools.models.conversion import PemToPfxResult
from pkitools.models.keystore import KeySpec
from pkitools.models.outcome import Outcome
from pkitools.output.text import Line, Style, Styled, finding_lines
from pkitools.output.views.pfx_to_pem import certificate_lines

_FOR = {
    "windows": "AES-256, SHA-256: Windows Server 2019, Windows 10 1709 and later",
    "windows2016": "3DES, SHA-1: every Windows, for Server 2016 and older",
    "pbmac1": "AES-256, PBMAC1 (RFC 9879): not for Windows",
}


def render(outcome: Outcome[PemToPfxResult], many: bool) -> list[Line]:
    """The file first, then its certificates, then findings."""
    result = outcome.value
    if result is None:
        return []
    spec = "" if result.key_spec is KeySpec.NONE else f", {result.key_spec.value}"
    store = ", machine key set" if result.machine else ""
    return [
        (Styled("wrote ", Style.GOOD), Styled(result.path, Style.BOLD), f": {result.subject}"),
        ("  ", _FOR[result.profile]),
        ("  ", f"{result.key_algorithm} key, {result.provider}{spec}{store}"),
        *certificate_lines(result.chain),
        *finding_lines(result.findings),
    ]
