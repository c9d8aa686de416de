"""Windows codes: names, numbers and families, and one lookup. Data: ``windows-codes.tsv`` beside this file.

A code is known by its name (``CERT_E_EXPIRED``); verdicts and errors elsewhere refer to codes by name only. Families:
``hresult``, ``win32``, ``ntstatus``, ``ras`` (600-878), ``rras`` (900-956) and ``ipsec`` (13000-13932), since a bare
number means different things in different families.
"""

from __future__ import annotations

from pkitools.codes.lookup import WindowsCode, by_name, by_number, hex_of

__all__ = ["WindowsCode", "by_name", "by_number", "hex_of"]
