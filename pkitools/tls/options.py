"""How ``test-ssl`` is to ask: everything but the targets."""

from __future__ import annotations

from dataclasses import dataclass, field

from pkitools.errors import InputError
from pkitools.tls.service import Service
from pkitools.tls.targets import normalise_host
from pkitools.transport.dns import is_address
from pkitools.transport.proxy import Proxy, parse_proxy

NO_SNI = "none"
MAX_TIMEOUT = 600.0
MAX_CONCURRENCY = 512


@dataclass(frozen=True, slots=True)
class ProbeOptions:
    """Options of one run. Raises InputError when a value is out of range.

    - ``timeout``: seconds for one target, from DNS to the last byte.
    - ``connect``: a numeric address or a name to connect to instead of the target's; the target's port stays.
    - ``proxy``: ``http://host:port``; ``web_proxy`` is what it means, with the credentials of the environment.
    - ``sni``: another server name to send; ``none`` sends none.
    - ``warn_days``, ``crit_days``: days before the certificate's end at which it is a warning, an error.
    """

    timeout: float = 10.0
    connect: str | None = None
    all_addresses: bool = False
    sni: str | None = None
    proxy: str | None = None
    tls_versions: bool = False
    service: Service = Service.SSTP
    http: bool = False
    warn_days: int = 30
    crit_days: int = 7
    concurrency: int = 32
    web_proxy: Proxy | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Checks the ranges; names become ASCII."""
        if not 0 < self.timeout <= MAX_TIMEOUT:
            raise InputError(f"the timeout must lie between 0 and {MAX_TIMEOUT:g} seconds, not {self.timeout:g}")
        if not 1 <= self.concurrency <= MAX_CONCURRENCY:
            raise InputError(f"the concurrency must lie between 1 and {MAX_CONCURRENCY}, not {self.concurrency}")
        if min(self.warn_days, self.crit_days) < 0:
            raise InputError("--warn-days and --crit-days count days before the end: they are not negative")
        if self.proxy is not None:
            object.__setattr__(self, "web_proxy", parse_proxy(self.proxy))
        if self.connect is not None:
            object.__setattr__(self, "connect", normalise_host(self.connect.removeprefix("[").removesuffix("]")))
        if self.sni is not None and self.sni != NO_SNI:
            name = normalise_host(self.sni)
            if is_address(name):
                raise InputError(f"--sni takes a host name, not the address {name}", hint="--sni none sends no name")
            object.__setattr__(self, "sni", name)
