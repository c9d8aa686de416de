"""pkitools: Always On VPN and AD CS troubleshooting from Linux.

The public API: one function and one result class per command, and the error tree. Names are imported on first use, so
that ``import pkitools`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from pkitools.errors import ExitCode, PkiToolsError
    from pkitools.models.tls import WebServerSsl
    from pkitools.tls.run import test_ssl

# name -> module that defines it
_EXPORTS = {
    "ExitCode": "pkitools.errors",
    "PkiToolsError": "pkitools.errors",
    "WebServerSsl": "pkitools.models.tls",
    "test_ssl": "pkitools.tls.run",
}

__all__ = ["ExitCode", "PkiToolsError", "WebServerSsl", "__version__", "test_ssl"]


def __getattr__(name: str) -> Any:
    module = _EXPORTS.get(name)
    if module is None:
        raise AttributeError(f"module 'pkitools' has no attribute {name!r}")
    return getattr(import_module(module), name)
