"""What the domain asks of a directory connection. ``transport.ldap`` has the real one, tests one that counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from pkitools.protocol.ldap.messages import Entry

BASE = "base"
SUBTREE = "subtree"


class DirectoryConnection(Protocol):
    """A bound connection to one domain controller or global catalog."""

    @property
    def config_dn(self) -> str:
        """The configuration naming context."""
        ...

    @property
    def principals_base(self) -> str:
        """Where accounts are looked for: the controller's domain, or everything in a global catalog."""
        ...

    def search(
        self, base: str, filter_: str, attributes: Sequence[str], *, scope: str, descriptors: bool = False
    ) -> Iterable[Entry]:
        """The entries, however many pages they take. ``descriptors`` asks for owner, group and access list."""
        ...
