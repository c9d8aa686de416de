"""What a server is there for; apart from the rest, since the command line needs it before anything heavy is loaded."""

from __future__ import annotations

from enum import Enum


class Service(Enum):
    """What the server is there for."""

    SSTP = "sstp"
    HTTPS = "https"
