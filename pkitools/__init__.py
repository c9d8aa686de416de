"""pkitools: Always On VPN and AD CS troubleshooting from Linux.

The public API: one function and one result class per command, and the error tree. Names are imported on first use, so
that ``import pkitools`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from pkitools.adcs.service import get_ca, get_ca_template, get_template, ping_ca
    from pkitools.aovpn.compare import compare_ipsec
    from pkitools.aovpn.error_message import find_error_messages, get_error_message
    from pkitools.aovpn.ike.run import test_ike
    from pkitools.aovpn.phonebook_edit import set_phonebook
    from pkitools.aovpn.reading import get_phonebook, get_profile
    from pkitools.errors import ExitCode, PkiToolsError
    from pkitools.keystore.convert import PemOptions, PfxOptions, pem_to_pfx, pfx_to_pem
    from pkitools.keystore.show import ShowOptions, show
    from pkitools.models.ca import CATemplate, CertificationAuthority
    from pkitools.models.ca_ping import CaPing
    from pkitools.models.conversion import ChainChoice, KeyFormat, Layout, PemToPfxResult, PfxToPemResult
    from pkitools.models.error_message import ErrorMessage
    from pkitools.models.ike import IkeServer
    from pkitools.models.ipsec_comparison import PolicyComparison
    from pkitools.models.outcome import Finding, Outcome, Severity, Status
    from pkitools.models.phonebook import PhonebookEdit, PhonebookEntry, PhonebookSettings, VpnProfile
    from pkitools.models.secret import Secret
    from pkitools.models.shown import FitFor, ShownFile
    from pkitools.models.template import CertificateTemplate
    from pkitools.models.tls import WebServerSsl
    from pkitools.tls.run import test_ssl
    from pkitools.transport.credentials import Credentials, DirectoryAddress

# name -> module that defines it
_EXPORTS = {
    "CATemplate": "pkitools.models.ca",
    "CaPing": "pkitools.models.ca_ping",
    "CertificateTemplate": "pkitools.models.template",
    "CertificationAuthority": "pkitools.models.ca",
    "ChainChoice": "pkitools.models.conversion",
    "Credentials": "pkitools.transport.credentials",
    "DirectoryAddress": "pkitools.transport.credentials",
    "ErrorMessage": "pkitools.models.error_message",
    "ExitCode": "pkitools.errors",
    "Finding": "pkitools.models.outcome",
    "FitFor": "pkitools.models.shown",
    "IkeServer": "pkitools.models.ike",
    "KeyFormat": "pkitools.models.conversion",
    "Layout": "pkitools.models.conversion",
    "Outcome": "pkitools.models.outcome",
    "PemOptions": "pkitools.keystore.convert",
    "PemToPfxResult": "pkitools.models.conversion",
    "PfxOptions": "pkitools.keystore.convert",
    "PfxToPemResult": "pkitools.models.conversion",
    "PhonebookEdit": "pkitools.models.phonebook",
    "PhonebookEntry": "pkitools.models.phonebook",
    "PhonebookSettings": "pkitools.models.phonebook",
    "PkiToolsError": "pkitools.errors",
    "PolicyComparison": "pkitools.models.ipsec_comparison",
    "Secret": "pkitools.models.secret",
    "Severity": "pkitools.models.outcome",
    "ShowOptions": "pkitools.keystore.show",
    "ShownFile": "pkitools.models.shown",
    "Status": "pkitools.models.outcome",
    "VpnProfile": "pkitools.models.phonebook",
    "WebServerSsl": "pkitools.models.tls",
    "compare_ipsec": "pkitools.aovpn.compare",
    "find_error_messages": "pkitools.aovpn.error_message",
    "get_ca": "pkitools.adcs.service",
    "get_ca_template": "pkitools.adcs.service",
    "get_error_message": "pkitools.aovpn.error_message",
    "get_phonebook": "pkitools.aovpn.reading",
    "get_profile": "pkitools.aovpn.reading",
    "get_template": "pkitools.adcs.service",
    "pem_to_pfx": "pkitools.keystore.convert",
    "pfx_to_pem": "pkitools.keystore.convert",
    "ping_ca": "pkitools.adcs.service",
    "set_phonebook": "pkitools.aovpn.phonebook_edit",
    "show": "pkitools.keystore.show",
    "test_ike": "pkitools.aovpn.ike.run",
    "test_ssl": "pkitools.tls.run",
}

__all__ = [
    "CATemplate",
    "CaPing",
    "CertificateTemplate",
    "CertificationAuthority",
    "ChainChoice",
    "Credentials",
    "DirectoryAddress",
    "ErrorMessage",
    "ExitCode",
    "Finding",
    "FitFor",
    "IkeServer",
    "KeyFormat",
    "Layout",
    "Outcome",
    "PemOptions",
    "PemToPfxResult",
    "PfxOptions",
    "PfxToPemResult",
    "PhonebookEdit",
    "PhonebookEntry",
    "PhonebookSettings",
    "PkiToolsError",
    "PolicyComparison",
    "Secret",
    "Severity",
    "ShowOptions",
    "ShownFile",
    "Status",
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
    "ping_ca",
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
