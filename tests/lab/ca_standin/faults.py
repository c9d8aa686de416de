"""The fault switches: what this CA does wrong, by stage. Everything off is a healthy CA."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Faults:
    """``*_on`` names where a fault strikes: bind-scm, activate, bind-process, call, alive, map, release."""

    # connections
    mapper_silent: bool = False
    mapper_banner: bytes | None = None
    process_silent: bool = False
    process_closed: bool = False
    process_drops_syn: bool = False
    # security
    bind_nak: int | None = None
    only_spnego: bool = False
    reject_interfaces: frozenset[str] = frozenset()
    refuse_logon: bool = False
    dcom_denied: bool = False
    multiplexing: bool = True
    # activation
    activate_hresult: dict[str, int] = field(default_factory=dict)
    activate_fault: dict[str, int] = field(default_factory=dict)
    only_old_interfaces: bool = False
    only_remote_activation: bool = False
    bindings: tuple[tuple[int, str], ...] | None = None
    authn_hint: int = 6
    properties_reversed: bool = False
    unknown_property: bool = False
    # calls
    registered: bool = True
    call_hresult: dict[str, int] = field(default_factory=dict)
    call_fault: dict[str, int] = field(default_factory=dict)
    disconnect_times: int = 0
    # the wire
    silent_on: str | None = None
    close_on: str | None = None
    half_reply_on: str | None = None
    garbage_on: str | None = None
    plaintext_on: str | None = None
    bad_signature_on: str | None = None
    flipped_bit_on: tuple[str, int] | None = None
    wrong_call_id_on: str | None = None
    wrong_context_on: str | None = None
    lower_level_on: str | None = None
    lying_length_on: str | None = None
    lying_count_on: str | None = None
    endless_fragments_on: str | None = None
    fragment_size: int | None = None
    trickle: bool = False
    trickle_pause: float = 0.0005
    mutate_stub: Callable[[str, bytes], bytes] | None = None
    """Changes a reply before it is sealed, so that its signature holds. Gets the stage and the stub."""
    mutate_bytes: Callable[[str, bytes], bytes] | None = None
    """Changes what goes out on the wire."""
    delay: float = 0.0
