"""What the domain asks of a directory connection. ``transport.ldap.Directory`` is one, tests have one that counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from pkitools.protocol.ldap.messages import Entry


class DirectoryConnection(Protocol):
    """An authenticated connection to one domain controller or global catalog."""

    config_dn: str
    """The configuration naming context."""
    accounts_dn: str
    """Where accounts are looked for: the controller's domain; everywhere in a global catalog."""
    token_groups: tuple[bytes, ...]
    """The SIDs of the account in use and its groups."""

    def search(self, base: str, query: str, attributes: Sequence[str], *, descriptors: bool = False) -> Iterator[Entry]:
        """The objects below ``base`` that match, with owner, group and access list when ``descriptors``."""
        ...
