"""Certificate policies along a path (RFC 5280 6.1): is there an issuance policy left where a CA requires one?

The caller asks for no certain policy (user-initial-policy-set is any-policy), so that only the emptiness of the valid
policies matters; a set per level gives that, where RFC 5280 keeps a tree.
"""

from __future__ import annotations

from collections.abc import Sequence

from pkitools.errors import FormatError
from pkitools.protocol.strict_der import INTEGER, OBJECT, Reader
from pkitools.trust.members import Member

ANY_POLICY = "2.5.29.32.0"
MAPPINGS_OID, CONSTRAINTS_OID, INHIBIT_ANY_OID = "2.5.29.33", "2.5.29.36", "2.5.29.54"


class _State:
    def __init__(self, length: int) -> None:
        self.valid = {ANY_POLICY}
        self.explicit = self.mapping = self.inhibit_any = length + 1

    def narrow(self, member: Member, *, last: bool) -> None:
        """6.1.3 (d) and (e): keep the policies that this certificate asserts."""
        asserted = {oid.value for oid in member.model.certificate_policies}
        any_counts = ANY_POLICY in asserted and (self.inhibit_any > 0 or (member.self_issued and not last))
        named = asserted - {ANY_POLICY}
        kept = named if ANY_POLICY in self.valid else named & self.valid
        self.valid = kept | self.valid if any_counts else kept

    def prepare(self, member: Member) -> None:
        """6.1.4 (a) to (j): mappings and counters for the next certificate."""
        self._map(_mappings(member))
        if not member.self_issued:
            self.explicit, self.mapping = max(self.explicit - 1, 0), max(self.mapping - 1, 0)
            self.inhibit_any = max(self.inhibit_any - 1, 0)
        explicit, mapping = _constraints(member)
        self.explicit, self.mapping = min(self.explicit, explicit), min(self.mapping, mapping)
        self.inhibit_any = min(self.inhibit_any, _inhibit_any(member))

    def _map(self, mappings: Sequence[tuple[str, str]]) -> None:
        if any(ANY_POLICY in pair for pair in mappings):
            self.valid = set()  # 6.1.4 (a): any-policy must not be mapped
            return
        issuers = {issuer for issuer, _ in mappings}
        if self.mapping > 0:
            mapped = {subject for issuer, subject in mappings if issuer in self.valid or ANY_POLICY in self.valid}
            self.valid = (self.valid - issuers) | mapped
        else:
            self.valid -= issuers


def policy_holds(path: Sequence[Member]) -> bool:
    """Whether the policy rules hold on a path given from the root's first child down to the leaf.

    FormatError when a policy extension cannot be read.
    """
    state = _State(len(path))
    for position, member in enumerate(path):
        last = position == len(path) - 1
        state.narrow(member, last=last)
        if state.explicit == 0 and not state.valid:
            return False
        if not last:
            state.prepare(member)
    if path:
        # 6.1.5 (a) and (b)
        state.explicit = max(state.explicit - 1, 0)
        if _constraints(path[-1])[0] == 0:
            state.explicit = 0
    return state.explicit > 0 or bool(state.valid)


def _content(member: Member, oid: str) -> bytes | None:
    extension = member.model.extension(oid)
    return extension.raw_data if extension else None


def _mappings(member: Member) -> list[tuple[str, str]]:
    raw = _content(member, MAPPINGS_OID)
    pairs = Reader(raw).sequence().rest() if raw is not None else []
    readers = [pair.children() for pair in pairs]
    return [(reader.read(OBJECT).oid(), reader.read(OBJECT).oid()) for reader in readers]


_NEVER = 1 << 16


def _constraints(member: Member) -> tuple[int, int]:
    raw = _content(member, CONSTRAINTS_OID)
    if raw is None:
        return _NEVER, _NEVER
    reader = Reader(raw).sequence()
    explicit, mapping = reader.optional(0x80), reader.optional(0x81)
    reader.require_end()
    counts = [value.small() if value else _NEVER for value in (explicit, mapping)]
    if min(counts) < 0:
        raise FormatError("a negative count in the policy constraints")
    return counts[0], counts[1]


def _inhibit_any(member: Member) -> int:
    raw = _content(member, INHIBIT_ANY_OID)
    return max(Reader(raw).read(INTEGER).small(), 0) if raw is not None else _NEVER
