"""pkitools: Always On VPN and AD CS troubleshooting from Linux.

The public API: one function and one result class per command, and the error tree. Names are imported on first use, so
that ``import pkitools`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from pkitools.aovpn.ike.run import test_ike
    from pkitools.errors import ExitCode, PkiToolsError
    from pkitools.keystore.convert import PemOptions, PfxOptions, pem_to_pfx, pfx_to_pem
    from pkitools.models.conversion import ChainChoice, KeyFormat, Layout, PemToPfxResult, PfxToPemResult
    from pkitools.models.ike import IkeServer
    from pkitools.models.tls import WebServerSsl
    from pkitools.tls.run import test_ssl

# name -> module that defines it
_EXPORTS = {
    "IkeServer": "pkitools.models.ike",
    "test_ike": "pkitools.aovpn.ike.run",
    "ChainChoice": "pkitools.models.conversion",
    "ExitCode": "pkitools.errors",
    "KeyFormat": "pkitools.models.conversion",
    "Layout": "pkitools.models.conversion",
    "PemOptions": "pkitools.keystore.convert",
    "PemToPfxResult": "pkitools.models.conversion",
    "PfxOptions": "pkitools.keystore.convert",
    "PfxToPemResult": "pkitools.models.conversion",
    "PkiToolsError": "pkitools.errors",
    "WebServerSsl": "pkitools.models.tls",
    "pem_to_pfx": "pkitools.keystore.convert",
    "pfx_to_pem": "pkitools.keystore.convert",
    "test_ssl": "pkitools.tls.run",
}

__all__ = [
    "ChainChoice",
    "ExitCode",
    "IkeServer",
    "KeyFormat",
    "Layout",
    "PemOptions",
    "PemToPfxResult",
    "PfxOptions",
    "PfxToPemResult",
    "PkiToolsError",
    "WebServerSsl",
    "__version__",
    "pem_to_pfx",
    "pfx_to_pem",
    "test_ike",
    "test_ssl",
]


def __getattr__(name: str) -> Any:
    module = _EXPORTS.get(name)
    if module is None:
        raise AttributeError(f"module 'pkitools' has no attribute {name!r}")
    return getattr(import_module(module), name)
