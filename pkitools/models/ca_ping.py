"""What a ping of a certification authority found out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from pkitools.models.outcome import Finding


@dataclass(frozen=True, slots=True)
class StageTime:
    """How long one step took. Stages: name, tcp-135, bind, auth, activate, bindings, tcp-dynamic, call."""

    PS_TYPE: ClassVar[str] = "PkiTools.StageTime"

    stage: str
    milliseconds: float


@dataclass(frozen=True, slots=True)
class InterfacePing:
    """One DCOM interface of the CA: how far we got, and what it said.

    ``alive`` is PSPKI's definition: the product version could be read through the interface. ``ping2`` is the answer to
    Ping2, None when it was not asked. ``code`` and ``code_hex`` name the HRESULT, fault or Win32 code that ended it.
    """

    PS_TYPE: ClassVar[str] = "PkiTools.InterfacePing"

    interface: str
    alive: bool
    ping2: bool | None
    product_version: str | None
    stage: str
    cause: str | None = None
    code: str | None = None
    code_hex: str | None = None
    message: str | None = None
    next_step: str | None = None


@dataclass(frozen=True, slots=True)
class WireUse:
    """One thing that was used on the wire, for firewall teams and RPC filters."""

    PS_TYPE: ClassVar[str] = "PkiTools.WireUse"

    port: int
    interface: str
    uuid: str
    opnum: int
    method: str
    protection: str


@dataclass(frozen=True, slots=True)
class CaPing:
    """The result of ping-ca, PSPKI's three properties first.

    ``icert_admin`` is None when it was not asked. ``rpc_alive`` and ``service_registered`` come from unauthenticated
    questions (ServerAlive2, endpoint mapper) and are None when they were not asked or got no answer. ``server_names``
    are the names the host gave in its bindings: never used for connecting. ``service_principal`` is the name that the
    ticket was asked for, or that NTLM's last message names.
    """

    PS_TYPE: ClassVar[str] = "PKI.CertificateServices.ICertInterfacePing"

    config_string: str
    icert_admin: bool | None = field(metadata={"name": "ICertAdmin"})
    icert_request: bool = field(metadata={"name": "ICertRequest"})
    computer_name: str
    ca_name: str | None = field(metadata={"name": "CAName"})
    address: str | None
    dynamic_port: int | None
    authentication: str | None
    service_principal: str | None
    com_version: str | None = field(metadata={"name": "ComVersion"})
    server_names: tuple[str, ...]
    rpc_alive: bool | None
    service_registered: bool | None
    request: InterfacePing
    admin: InterfacePing | None
    stages: tuple[StageTime, ...]
    round_trips: int
    wire: tuple[WireUse, ...]
    findings: tuple[Finding, ...]
