"""Two IPsec policies side by side: does the tunnel come up, and if not, why."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import ClassVar

from pkitools.models.ipsec import IPsecPolicy
from pkitools.models.outcome import Finding


class FieldVerdict(Enum):
    """How the values of one field stand to each other. COMMON: not the same sets, and something is in both."""

    EQUAL = "Equal"
    COMMON = "Common"
    DIFFERENT = "Different"
    NOT_VISIBLE = "NotVisible"


class TunnelVerdict(Enum):
    """Whether the tunnel comes up. IKE_ONLY: the IKE policy fits and the child policy of one side is not visible."""

    MATCH = "Match"
    IKE_ONLY = "IkeOnly"
    IKE_MISMATCH = "IkeMismatch"
    CHILD_MISMATCH = "ChildMismatch"


@dataclass(frozen=True, slots=True)
class FieldComparison:
    """One field of the policy in Windows' words; ``part`` is IKE or Child. Empty tuples stand for what is not visible.

    A word that Windows does not know stands in IANA's spelling (``MODP_4096``).
    """

    PS_TYPE: ClassVar[str] = "PkiTools.FieldComparison"

    name: str
    part: str
    client: tuple[str, ...]
    server: tuple[str, ...]
    verdict: FieldVerdict
    note: str = ""


@dataclass(frozen=True, slots=True)
class PolicySide:
    """Where one side's policy comes from. ``inferred``: not read but concluded, such as a default for an empty output.

    ``policy`` is the one custom policy when there is exactly one that Windows can express.
    """

    PS_TYPE: ClassVar[str] = "PkiTools.PolicySide"

    source: str
    kind: str
    inferred: bool
    policy: IPsecPolicy | None = field(metadata={"name": "IPsecPolicy"})
    ike_proposals: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PolicyComparison:
    """The comparison. ``causes`` are the likely causes of error 13868, the likeliest first.

    ``client_commands`` bring the client to the server's policy, ``server_commands`` the server to the client's.
    """

    PS_TYPE: ClassVar[str] = "PkiTools.PolicyComparison"

    verdict: TunnelVerdict
    client: PolicySide
    server: PolicySide
    fields: tuple[FieldComparison, ...]
    causes: tuple[str, ...]
    client_commands: tuple[str, ...]
    client_profile_xml: str | None
    server_commands: tuple[str, ...]
    findings: tuple[Finding, ...]
