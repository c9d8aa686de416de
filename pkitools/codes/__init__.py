"""Windows codes: names, numbers and families, texts of our own, and one lookup.

Data beside this file: ``windows-codes.tsv`` (names and numbers), ``texts.tsv`` (their texts), ``guidance.json`` (what
they mean for Always On VPN, what to check, which command confirms it).

A code is known by its name (``CERT_E_EXPIRED``); verdicts and errors elsewhere refer to codes by name only. Families:
``hresult``, ``win32``, ``ntstatus``, ``ras`` (600-878), ``rras`` (900-956) and ``ipsec`` (13000-13932), since a bare
number means different things in different families.
"""

from __future__ import annotations

from pkitools.codes.lookup import Guidance, WindowsCode, by_name, by_number, guidance_of, hex_of, text_of

__all__ = ["Guidance", "WindowsCode", "by_name", "by_number", "guidance_of", "hex_of", "text_of"]
