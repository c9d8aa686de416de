"""pkitools: Always On VPN and AD CS troubleshooting from Linux.

The public API: one function and one result class per command, and the error tree. Names are imported on first use, so
that ``import pkitools`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from pkitools.aovpn.phonebook_edit import set_phonebook
    from pkitools.aovpn.reading import get_phonebook, get_profile
    from pkitools.errors import ExitCode, PkiToolsError
    from pkitools.models.phonebook import PhonebookEdit, PhonebookEntry, PhonebookSettings, VpnProfile

# name -> module that defines it
_EXPORTS = {
    "PhonebookEdit": "pkitools.models.phonebook",
    "PhonebookEntry": "pkitools.models.phonebook",
    "PhonebookSettings": "pkitools.models.phonebook",
    "VpnProfile": "pkitools.models.phonebook",
    "get_phonebook": "pkitools.aovpn.reading",
    "get_profile": "pkitools.aovpn.reading",
    "set_phonebook": "pkitools.aovpn.phonebook_edit",
    "ExitCode": "pkitools.errors",
    "PkiToolsError": "pkitools.errors",
}

__all__ = [
    "ExitCode",
    "PhonebookEdit",
    "PhonebookEntry",
    "PhonebookSettings",
    "PkiToolsError",
    "VpnProfile",
    "__version__",
    "get_phonebook",
    "get_profile",
    "set_phonebook",
]


def __getattr__(name: str) -> Any:
    module = _EXPORTS.get(name)
    if module is None:
        raise AttributeError(f"module 'pkitools' has no attribute {name!r}")
    return getattr(import_module(module), name)
