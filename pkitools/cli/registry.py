"""THE list of commands. A new command is one module in ``pkitools.commands`` and one entry here."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True, slots=True)
class CommandSpec:
    """One command: where its function stands and what comes out of it.

    ``result`` names the result class as ``module:Class``; ``view`` the module of its text form (without one: a table of
    the simple properties). ``writes_files`` marks a command that has an ``-O/--out`` of its own, since files are what
    it makes. ``negative_numbers`` lets an argument such as ``-2147024891`` stand without ``--``.
    """

    name: str
    module: str
    function: str
    summary: str
    result: str
    view: str | None = None
    panel: str = "Commands"
    writes_files: bool = False
    negative_numbers: bool = False
    hidden: bool = False

    def load_function(self) -> Any:
        """The command's function."""
        return getattr(import_module(self.module), self.function)

    def load_result(self) -> type:
        """The class of the results."""
        module, _, name = self.result.partition(":")
        loaded: type = getattr(import_module(module), name)
        return loaded


SERVERS = "VPN servers"
FILES = "Certificates and keys"
DIRECTORY = "Enterprise CAs"
CLIENT = "VPN clients"
OTHER = "Other"

COMMANDS: tuple[CommandSpec, ...] = (
    CommandSpec(
        "test-ssl",
        "pkitools.commands.webserver_ssl",
        "test_ssl",
        "Check what a Windows SSTP client will think of a server.",
        "pkitools.models.tls:WebServerSsl",
        "pkitools.output.views.web_server_ssl",
        panel=SERVERS,
    ),
    CommandSpec(
        "test-ike",
        "pkitools.commands.ike",
        "test_ike",
        "Find out which IKE policies an IKEv2 server accepts.",
        "pkitools.models.ike:IkeServer",
        "pkitools.output.views.ike_server",
        panel=SERVERS,
    ),
    CommandSpec(
        "get-ca",
        "pkitools.commands.certification_authority",
        "get_ca",
        "List the CAs that Active Directory knows.",
        "pkitools.models.ca:CertificationAuthority",
        "pkitools.output.views.certification_authority",
        panel=DIRECTORY,
    ),
    CommandSpec(
        "ping-ca",
        "pkitools.commands.icert_interface",
        "ping_ca",
        "Ping a CA over DCOM, and say why it does not answer.",
        "pkitools.models.ca_ping:CaPing",
        "pkitools.output.views.ca_ping",
        panel=DIRECTORY,
    ),
    CommandSpec(
        "get-ca-template",
        "pkitools.commands.ca_template",
        "get_ca_template",
        "List the templates that CAs publish, and who may enroll.",
        "pkitools.models.ca:CATemplate",
        "pkitools.output.views.ca_template",
        panel=DIRECTORY,
    ),
    CommandSpec(
        "get-template",
        "pkitools.commands.certificate_template",
        "get_template",
        "Show certificate templates, and judge them for Always On VPN.",
        "pkitools.models.template:CertificateTemplate",
        "pkitools.output.views.certificate_template",
        panel=DIRECTORY,
    ),
    CommandSpec(
        "pfx-to-pem",
        "pkitools.commands.pfx_to_pem",
        "pfx_to_pem",
        "Turn PFX files into PEM, for HAProxy, nginx, load balancers, firewalls and clouds.",
        "pkitools.models.conversion:PfxToPemResult",
        "pkitools.output.views.pfx_to_pem",
        panel=FILES,
        writes_files=True,
    ),
    CommandSpec(
        "pem-to-pfx",
        "pkitools.commands.pem_to_pfx",
        "pem_to_pfx",
        "Make a PFX for Windows of certificates, chain and key in any form.",
        "pkitools.models.conversion:PemToPfxResult",
        "pkitools.output.views.pem_to_pfx",
        panel=FILES,
        writes_files=True,
    ),
    CommandSpec(
        "show",
        "pkitools.commands.show",
        "show",
        "Show what is in a PFX, PEM, DER, P7B, CSR or CRL, and who will open it.",
        "pkitools.models.shown:ShownFile",
        "pkitools.output.views.show",
        panel=FILES,
    ),
    CommandSpec(
        "get-error-message",
        "pkitools.commands.error_message",
        "get_error_message",
        "Explain a Windows error code: what it means, what to check, which command confirms it.",
        "pkitools.models.error_message:ErrorMessage",
        "pkitools.output.views.error_message",
        panel=OTHER,
        negative_numbers=True,
    ),
    CommandSpec(
        "get-phonebook",
        "pkitools.commands.phonebook",
        "get_phonebook",
        "Show the VPN connections of rasphone.pbk: metrics, IPsec policy, EAP settings.",
        "pkitools.models.phonebook:PhonebookEntry",
        "pkitools.output.views.phonebook",
        panel=CLIENT,
    ),
    CommandSpec(
        "set-phonebook",
        "pkitools.commands.phonebook",
        "set_phonebook",
        "Change settings in rasphone.pbk and no other byte; detect and remediate for Intune.",
        "pkitools.models.phonebook:PhonebookEdit",
        "pkitools.output.views.phonebook_edit",
        panel=CLIENT,
    ),
    CommandSpec(
        "get-profile",
        "pkitools.commands.phonebook",
        "get_profile",
        "Show and check a ProfileXML of the VPNv2 CSP.",
        "pkitools.models.phonebook:VpnProfile",
        "pkitools.output.views.profile",
        panel=CLIENT,
    ),
    CommandSpec(
        "powershell",
        "pkitools.commands.powershell",
        "powershell",
        "Install the PowerShell module PkiTools.",
        "pkitools.models.powershell:PowerShellModule",
        "pkitools.output.views.powershell_module",
        panel=OTHER,
    ),
    CommandSpec(
        "compare-ipsec",
        "pkitools.commands.ipsec_policy",
        "compare_ipsec",
        "Compare the IPsec policies of client and server: why error 13868, and what fixes it.",
        "pkitools.models.ipsec_comparison:PolicyComparison",
        "pkitools.output.views.ipsec_comparison",
        panel=CLIENT,
    ),
    CommandSpec(
        "demo",
        "pkitools.commands.demo",
        "demo",
        "Show test-ssl on servers that pkitools starts itself.",
        "pkitools.models.demo:DemoResult",
        "pkitools.output.views.demo_result",
        panel=OTHER,
    ),
)


def spec_of(name: str) -> CommandSpec | None:
    """The command called ``name``."""
    return next((spec for spec in COMMANDS if spec.name == name), None)
