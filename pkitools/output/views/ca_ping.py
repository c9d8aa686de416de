"""Text of ping-ca: alive or not, why not and what to do, then what was learnt on the way."""

from __future__ import annotations

from pkitools.models.ca_ping import CaPing, InterfacePing
from pkitools.models.outcome import Outcome, Status
from pkitools.output.text import Line, Style, Styled, finding_lines


def render(outcome: Outcome[CaPing], many: bool) -> list[Line]:
    """One CA; a line and its reason when there are many."""
    ping = outcome.value
    if ping is None:
        return []
    lines: list[Line] = [_headline(outcome, ping)]
    if many:
        if outcome.reason is not None:
            code = f"{outcome.reason.code} {outcome.reason.code_hex}: " if outcome.reason.code else ""
            lines.append(("      ", code, outcome.reason.message))
            lines.append(("      ", Styled("next: ", Style.DIM), outcome.reason.next_step))
        return [*lines, *finding_lines(ping.findings, "      "), *_wire(ping)]
    lines += finding_lines(ping.findings)
    lines += ["", *_interface("ICertRequest", ping.request)]
    if ping.admin is not None:
        lines += _interface("ICertAdmin", ping.admin)
    return [*lines, *_details(ping)]


def _headline(outcome: Outcome[CaPing], ping: CaPing) -> Line:
    style, word = {
        Status.OK: (Style.GOOD, "OK    "),
        Status.FINDING: (Style.WARN, "CHECK "),
    }.get(outcome.status, (Style.BAD, "FAIL  "))
    if not ping.icert_request:
        style, word = Style.BAD, "FAIL  "
    admin = "" if ping.icert_admin is None else f", ICertAdmin {_yes(ping.icert_admin)}"
    return (
        Styled(word, style),
        Styled(ping.config_string, Style.BOLD),
        f"  ICertRequest {_yes(ping.icert_request)}{admin}",
    )


def _yes(value: bool) -> str:
    return "alive" if value else "no"


def _interface(name: str, result: InterfacePing) -> list[Line]:
    if result.alive:
        version = f", product version {result.product_version}" if result.product_version else ""
        ping2 = "" if result.ping2 is None else f", Ping2 {'answers' if result.ping2 else 'fails'}"
        return [f"  {name:<14}alive ({result.interface}{version}{ping2})"]
    code = f"  {result.code} {result.code_hex}" if result.code_hex else ""
    return [f"  {name:<14}stage {result.stage}: {result.cause}{code}"]


def _details(ping: CaPing) -> list[Line]:
    lines: list[Line] = []
    if ping.address:
        port = f", port {ping.dynamic_port}" if ping.dynamic_port else ""
        lines.append(f"  address       {ping.address}{port}")
    if ping.authentication:
        sealed = ", every answer sealed and verified" if ping.icert_request else ""
        lines.append(f"  logon         {ping.authentication}{sealed}")
    if ping.server_names:
        lines.append(f"  calls itself  {', '.join(ping.server_names)}")
    if ping.rpc_alive is not None and not ping.icert_request:
        registered = {True: "registered", False: "not registered", None: "unknown"}[ping.service_registered]
        lines.append(f"  without logon RPC {'answers' if ping.rpc_alive else 'does not answer'}, certsvc {registered}")
    if ping.stages:
        lines.append("  stages        " + "  ".join(f"{item.stage} {item.milliseconds:g} ms" for item in ping.stages))
    return [*lines, *_wire(ping)]


def _wire(ping: CaPing) -> list[Line]:
    """What --explain keeps."""
    if not ping.wire:
        return []
    lines: list[Line] = [f"  SPN           {ping.service_principal or 'no logon'}"]
    for use in ping.wire:
        call = f"{use.interface} {use.uuid} opnum {use.opnum} {use.method}"
        lines.append(f"  wire          TCP {use.port}  {call} ({use.protection})")
    return lines
