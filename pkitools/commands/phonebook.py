"""get-phonebook, set-phonebook and get-profile: what a VPN client is told, and edits of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from pkitools.errors import PkiToolsError
from pkitools.models.ipsec import IPsecPolicy
from pkitools.models.outcome import Outcome, failed
from pkitools.models.phonebook import EditMode, PhonebookEdit, PhonebookEntry, PhonebookSettings, VpnProfile

NpsCertificate = Annotated[
    str | None,
    typer.Option(
        "--nps-certificate",
        metavar="FILE",
        help="Hold this NPS certificate (PEM with its chain) against the EAP settings: names and trusted roots.",
    ),
]


def get_phonebook(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Phonebooks (rasphone.pbk).")],
    entry: Annotated[
        list[str] | None, typer.Option("--entry", "-e", metavar="NAME", help="Only this entry; may be given again.")
    ] = None,
    nps_certificate: NpsCertificate = None,
) -> Iterator[Outcome[PhonebookEntry]]:
    """Show the VPN connections of a phonebook.

    Reads rasphone.pbk as Windows wrote it and shows each connection: interface metrics and whether split DNS will
    work, VPN strategy, the custom IPsec policy decoded, servers, trusted networks, DNS suffixes and rules, and the
    EAP method with the roots and the RADIUS server names that the client insists on.

    \b
    Examples:
      pkitools get-phonebook rasphone.pbk
      pkitools get-phonebook rasphone.pbk --entry "Always On VPN" -o json
      pkitools get-phonebook rasphone.pbk --nps-certificate nps-chain.pem
    """
    from pkitools.aovpn.reading import get_phonebook as read

    for path in files:
        try:
            yield from read(path, entries=tuple(entry or ()), nps_certificate=nps_certificate)
        except PkiToolsError as error:
            yield _unreadable(path, error, files)


def get_profile(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="ProfileXML files.")],
    nps_certificate: NpsCertificate = None,
) -> Iterator[Outcome[VpnProfile]]:
    """Show and check a ProfileXML.

    Reads a ProfileXML of the VPNv2 CSP: servers, protocol, routes, DNS rules, the CryptographySuite, the interface
    metrics of Windows 11 24H2, EAP settings. Finds values outside the CSP's vocabulary, a CryptographySuite that the
    protocol ignores, DNS rules without their dot, escaped XML and stray text. The order of the elements is not judged.

    \b
    Examples:
      pkitools get-profile ProfileXML_User.xml
      pkitools get-profile ProfileXML_User.xml -o json
      pkitools get-profile ProfileXML_User.xml --nps-certificate nps-chain.pem
    """
    from pkitools.aovpn.reading import get_profile as read

    for path in files:
        try:
            yield read(path, nps_certificate=nps_certificate)
        except PkiToolsError as error:
            yield _unreadable(path, error, files)


def _unreadable(path: str, error: PkiToolsError, files: list[str]) -> Outcome[Any]:
    """Of several files one that cannot be read hides no other; alone, it is the command's error."""
    if len(files) == 1:
        raise error
    return failed(path, error)


def set_phonebook(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The phonebook (rasphone.pbk).")],
    entry: Annotated[
        list[str] | None, typer.Option("--entry", "-e", metavar="NAME", help="The entry to edit; may be given again.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Edit every entry.")] = False,
    ipv4_metric: Annotated[
        int | None, typer.Option("--ipv4-metric", help="IPv4 interface metric; 0 is automatic, 3 is usual.")
    ] = None,
    ipv6_metric: Annotated[int | None, typer.Option("--ipv6-metric", help="IPv6 interface metric.")] = None,
    vpn_strategy: Annotated[
        str | None,
        typer.Option("--vpn-strategy", metavar="NAME|NUMBER", help="Such as Ikev2Only, SstpFirst, Ikev2Sstp or 14."),
    ] = None,
    disable_mobility: Annotated[
        bool | None, typer.Option("--disable-mobility/--enable-mobility", help="IKEv2 mobility (MOBIKE) off or on.")
    ] = None,
    network_outage_time: Annotated[
        int | None, typer.Option("--network-outage-time", help="Seconds, 60 to 1800; 0 switches it off.")
    ] = None,
    use_ras_credentials: Annotated[
        bool | None,
        typer.Option("--use-ras-credentials/--no-use-ras-credentials", help="VPN credentials for single sign-on."),
    ] = None,
    cache_credentials: Annotated[
        bool | None, typer.Option("--cache-credentials/--no-cache-credentials", help="Keep the credentials.")
    ] = None,
    auto_logon: Annotated[
        bool | None, typer.Option("--auto-logon/--no-auto-logon", help="Use the Windows logon credentials.")
    ] = None,
    register_dns: Annotated[
        bool | None, typer.Option("--register-dns/--no-register-dns", help="Register the address in DNS.")
    ] = None,
    disable_class_based_default_route: Annotated[
        bool | None,
        typer.Option(
            "--disable-class-based-default-route/--enable-class-based-default-route",
            help="No route by the address's class.",
        ),
    ] = None,
    disable_ikev2_fragmentation: Annotated[
        bool | None,
        typer.Option("--disable-ikev2-fragmentation/--enable-ikev2-fragmentation", help="IKEv2 fragmentation."),
    ] = None,
    ipsec_policy: Annotated[
        str | None,
        typer.Option(
            "--ipsec-policy",
            metavar="BASELINE",
            help="Custom IPsec policy: aovpn-standard or aovpn-enhanced.",
        ),
    ] = None,
    detect: Annotated[
        bool, typer.Option("--detect", help="Write nothing; one line, exit 0 when all is as wanted, 1 when not.")
    ] = False,
    remediate: Annotated[bool, typer.Option("--remediate", help="Write, and say one line.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write nothing and show the lines that would change.")
    ] = False,
    backup: Annotated[
        bool, typer.Option("--backup/--no-backup", help="Keep the old file as FILE.bak, FILE.bak2 and so on.")
    ] = True,
) -> Iterator[Outcome[PhonebookEdit]]:
    """Change settings of VPN connections in a phonebook.

    Changes only the bytes of the values: encoding, line ends, the order of the keys and all other entries stay as they
    are. A key that an entry lacks is inserted where Windows writes it. The file is replaced at one moment, with its
    owner and mode, and a backup is kept beside it. --detect and --remediate keep the contract of Intune's remediation
    scripts.

    \b
    Examples:
      pkitools set-phonebook rasphone.pbk --entry "Always On VPN" --ipv4-metric 3 --ipv6-metric 3
      pkitools set-phonebook rasphone.pbk --all --ipv4-metric 3 --detect
      pkitools set-phonebook rasphone.pbk --all --vpn-strategy Ikev2Sstp --dry-run
      pkitools set-phonebook rasphone.pbk -e "Always On VPN" --ipsec-policy aovpn-enhanced
    """
    from pkitools.aovpn.phonebook_edit import set_phonebook as edit

    settings = PhonebookSettings(
        ipv4_metric=ipv4_metric,
        ipv6_metric=ipv6_metric,
        vpn_strategy=vpn_strategy,
        disable_mobility=disable_mobility,
        network_outage_time=network_outage_time,
        use_ras_credentials=use_ras_credentials,
        cache_credentials=cache_credentials,
        auto_logon=auto_logon,
        register_dns=register_dns,
        disable_class_based_default_route=disable_class_based_default_route,
        disable_ikev2_fragmentation=disable_ikev2_fragmentation,
        ipsec_policy=_policy(ipsec_policy),
    )
    mode = _mode(detect=detect, remediate=remediate, dry_run=dry_run)
    yield edit(file, settings, entries=entry or (), every=every, mode=mode, backup=backup)


def _mode(*, detect: bool, remediate: bool, dry_run: bool) -> EditMode:
    from pkitools.errors import InputError

    if detect + remediate + dry_run > 1:
        raise InputError("--detect, --remediate and --dry-run exclude each other")
    if detect:
        return EditMode.DETECT
    if remediate:
        return EditMode.REMEDIATE
    return EditMode.DRY_RUN if dry_run else EditMode.SET


def _policy(name: str | None) -> IPsecPolicy | None:
    from pkitools.aovpn.policy import baseline
    from pkitools.errors import InputError

    if name is None:
        return None
    policy = baseline(name).policy
    if policy is None:
        raise InputError(f"{name} is a set of policies, not one", hint="use aovpn-standard or aovpn-enhanced")
    return policy
