"""The judge of certificates: path building, AIA, revocation, and the verdict by purpose in Windows' codes.

No sockets here: whoever wants addresses fetched hands in a ``Fetcher``.
"""

from __future__ import annotations

from pkitools.trust.fetcher import Fetcher, TimeLimit
from pkitools.trust.judge import Settings, judge
from pkitools.trust.names import ascii_name
from pkitools.trust.sources import Sources
from pkitools.trust.store import Store, system_store

__all__ = ["Fetcher", "Settings", "Sources", "Store", "TimeLimit", "ascii_name", "judge", "system_store"]
