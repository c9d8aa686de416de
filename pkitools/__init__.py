"""pkitools: Always On VPN and AD CS troubleshooting from Linux.

The public API: one function and one result class per command, and the error tree. Names are imported on first use, so
that ``import pkitools`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from pkitools.adcs.service import get_ca, get_ca_template, get_template
    from pkitools.aovpn.compare import compare_ipsec
    from pkitools.aovpn.error_message import find_error_messages, get_error_message
    from pkitools.aovpn.ike.run import test_ike
    from pkitools.aovpn.phonebook_edit import set_phonebook
    from pkitools.aovpn.reading import get_phonebook, get_profile
    from pkitools.errors import ExitCode, PkiToolsError
    from pkitools.keystore.convert import PemOptions, PfxOptions, pem_to_pfx, pfx_to_pem
    from pkitools.keystore.show import ShowOptions, show
    from pkitools.models.ca import CATemplate, CertificationAuthority
    from pkitools.models.conversion import ChainChoice, KeyFormat, Layout, PemToPfxResult, PfxToPemResult
    from pkitools.models.error_message import ErrorMessage
    from pkitools.models.ike import IkeServer
    from pkitools.models.ipsec_comparison import PolicyComparison
    from pkitools.models.phonebook import PhonebookEdit, PhonebookEntry, PhonebookSettings, VpnProfile
    from pkitools.models.shown import FitFor, ShownFile
    from pkitools.models.template import CertificateTemplate
    from pkitools.models.tls import WebServerSsl
    from pkitools.tls.run import test_ssl

# name -> module that defines it
_EXPORTS = {
    "PolicyComparison": "pkitools.models.ipsec_comparison",
    "compare_ipsec": "pkitools.aovpn.compare",
    "VpnProfile": "pkitools.models.phonebook",
    "PhonebookSettings": "pkitools.models.phonebook",
    "PhonebookEntry": "pkitools.models.phonebook",
    "PhonebookEdit": "pkitools.models.phonebook",
    "get_profile": "pkitools.aovpn.reading",
    "get_phonebook": "pkitools.aovpn.reading",
    "set_phonebook": "pkitools.aovpn.phonebook_edit",
    "ErrorMessage": "pkitools.models.error_message",
    "find_error_messages": "pkitools.aovpn.error_message",
    "get_error_message": "pkitools.aovpn.error_message",
    "CATemplate": "pkitools.models.ca",
    "CertificateTemplate": "pkitools.models.template",
    "CertificationAuthority": "pkitools.models.ca",
    "get_ca": "pkitools.adcs.service",
    "get_ca_template": "pkitools.adcs.service",
    "get_template": "pkitools.adcs.service",
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
    "FitFor": "pkitools.models.shown",
    "ShowOptions": "pkitools.keystore.show",
    "ShownFile": "pkitools.models.shown",
    "show": "pkitools.keystore.show",
    "pem_to_pfx": "pkitools.keystore.convert",
    "pfx_to_pem": "pkitools.keystore.convert",
    "test_ssl": "pkitools.tls.run",
}

__all__ = [
    "CATemplate",
    "CertificateTemplate",
    "CertificationAuthority",
    "ChainChoice",
    "ErrorMessage",
    "ExitCode",
    "FitFor",
    "IkeServer",
    "KeyFormat",
    "Layout",
    "PemOptions",
    "PemToPfxResult",
    "PfxOptions",
    "PfxToPemResult",
    "PhonebookEdit",
    "PhonebookEntry",
    "PhonebookSettings",
    "PkiToolsError",
    "PolicyComparison",
    "ShowOptions",
    "ShownFile",
    "VpnProfile",
    "WebServerSsl",
    "__version__",
    "compare_ipsec",
    "find_error_messages",
    "get_ca",
    "get_ca_template",
    "get_error_message",
    "get_phonebook",
    "get_profile",
    "get_template",
    "pem_to_pfx",
    "pfx_to_pem",
    "set_phonebook",
    "show",
    "test_ike",
    "test_ssl",
]


def __getattr__(name: str) -> Any:
    module = _EXPORTS.get(name)
    if module is None:
        raise AttributeError(f"module 'pkitools' has no attribute {name!r}")
    return getattr(import_module(module), name)
