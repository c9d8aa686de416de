"""Editing a phonebook file: validated values, Intune's detection and remediation, backup and atomic replacement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from pkitools.aovpn.client_policy import pack_policy
from pkitools.aovpn.phonebook import MAX_PHONEBOOK_BYTES, Phonebook
from pkitools.aovpn.phonebook_entries import VPN_STRATEGIES
from pkitools.errors import InputError
from pkitools.files.reading import read_capped
from pkitools.files.replacing import back_up, replace_file
from pkitools.models.outcome import Finding, Outcome, Severity, finding, judged
from pkitools.models.phonebook import EditMode, PhonebookEdit, PhonebookSettings, SettingChange

MAX_METRIC: Final = 9999
_FLAGS: Final = {
    "disable_mobility": "DisableMobility",
    "use_ras_credentials": "UseRasCredentials",
    "cache_credentials": "CacheCredentials",
    "auto_logon": "AutoLogon",
    "register_dns": "IpDnsFlags",
    "disable_class_based_default_route": "DisableClassBasedDefaultRoute",
    "disable_ikev2_fragmentation": "Disable_IKEv2_Fragmentation",
}


def wanted_values(settings: PhonebookSettings) -> dict[str, str]:
    """Key -> value of rasphone.pbk for the settings that are given. Raises InputError for a value outside its range."""
    values: dict[str, str] = {}
    for key, metric in (("IpInterfaceMetric", settings.ipv4_metric), ("Ipv6InterfaceMetric", settings.ipv6_metric)):
        if metric is not None:
            values[key] = _in_range("an interface metric", metric, 0, MAX_METRIC, "0 is automatic, 3 is usual")
    if settings.vpn_strategy is not None:
        values["VpnStrategy"] = str(strategy_number(settings.vpn_strategy))
    if settings.network_outage_time is not None:
        low = 60 if settings.network_outage_time else 0
        hint = "seconds; 0 switches it off"
        values["NetworkOutageTime"] = _in_range("a network outage time", settings.network_outage_time, low, 1800, hint)
    for name, key in _FLAGS.items():
        flag = getattr(settings, name)
        if flag is not None:
            values[key] = "1" if flag else "0"
    if settings.ipsec_policy is not None:
        values["NumCustomPolicy"] = "1"
        values["CustomIPSecPolicies"] = pack_policy(settings.ipsec_policy).hex().upper()
    if not values:
        raise InputError("nothing to set", hint="give at least one setting, such as --ipv4-metric 3")
    return values


def _in_range(what: str, value: int, low: int, high: int, hint: str) -> str:
    if not low <= value <= high:
        raise InputError(f"{what} of {value} is outside {low} to {high}", hint=hint)
    return str(value)


def strategy_number(text: str) -> int:
    """The number of a VPN strategy given by name (any case, with or without ``VS_``) or number.

    Raises InputError for one that Ras.h does not have.
    """
    names = {name.casefold(): number for number, name in VPN_STRATEGIES.items()}
    folded = text.strip().casefold().removeprefix("vs_")
    number = int(folded) if folded.isascii() and folded.isdigit() and len(folded) < 4 else names.get(folded, -1)
    if number not in VPN_STRATEGIES:
        known = ", ".join(f"{name} ({value})" for value, name in VPN_STRATEGIES.items())
        raise InputError(f"there is no VPN strategy {text!r}", hint=f"known: {known}")
    return number


def set_phonebook(
    path: str,
    settings: PhonebookSettings,
    *,
    entries: Sequence[str] = (),
    every: bool = False,
    mode: EditMode = EditMode.SET,
    backup: bool = True,
) -> Outcome[PhonebookEdit]:
    """Give the named entries of the phonebook at ``path`` (or ``every`` one) the settings.

    Only the bytes of the values change. With DETECT and DRY_RUN nothing is written; DETECT's outcome is a finding when
    a value is not as wanted. Raises InputError (no entry chosen or found, a value outside its range), FormatError,
    FileAccessError.
    """
    values = wanted_values(settings)
    if every == bool(entries):
        raise InputError("which entries?", hint="give --entry NAME (several times for several), or --all for every one")
    data = read_capped(path, limit=MAX_PHONEBOOK_BYTES)
    book = Phonebook(data)
    chosen = range(len(book.sections)) if every else [book.sections.index(book.select(name)) for name in entries]
    before = book.shown_lines() if mode is EditMode.DRY_RUN else []
    changes = tuple(book.edit(chosen, values))
    compliant = not any(change.changed for change in changes)
    written = not compliant and mode in (EditMode.SET, EditMode.REMEDIATE)
    kept = back_up(path, data) if written and backup else None
    if written:
        replace_file(path, book.to_bytes())
    diff = tuple(_difference(before, book.shown_lines())) if mode is EditMode.DRY_RUN else ()
    findings = _not_compliant(changes) if mode is EditMode.DETECT and not compliant else ()
    return judged(path, PhonebookEdit(path, mode, compliant, written, kept, changes, diff, findings), findings)


def _not_compliant(changes: tuple[SettingChange, ...]) -> tuple[Finding, ...]:
    wrong = [change for change in changes if change.changed]
    return tuple(
        finding(
            Severity.WARNING,
            "NotCompliant",
            f"[{change.entry}] {change.key} is {'absent' if change.before is None else change.before or 'empty'}, "
            f"not {change.after}",
            "run set-phonebook with --remediate",
        )
        for change in wrong
    )


def _difference(before: list[str], after: list[str]) -> Iterator[str]:
    """Changed lines, as ``diff`` marks them, each under its entry: edits replace lines or insert them, nothing else."""
    old = 0
    section = shown = ""
    for line in after:
        if line.lstrip().startswith("["):
            section = line.strip()
        if old < len(before) and before[old] == line:
            old += 1
            continue
        if section != shown:
            yield f"@@ line {old + 1} @@ {section}"
            shown = section
        if old < len(before) and before[old].partition("=")[0] == line.partition("=")[0]:
            yield f"-{before[old]}"
            old += 1
        yield f"+{line}"
