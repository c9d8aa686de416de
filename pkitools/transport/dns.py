"""Names to addresses, as this machine resolves them (hosts file, DNS, whatever nsswitch says), under a deadline."""

from __future__ import annotations

import ipaddress
import socket
import threading
from typing import NamedTuple

from pkitools.errors import DeadlineExceededError, NameResolutionError
from pkitools.transport.deadline import Deadline

MAX_ADDRESSES = 64


class Endpoint(NamedTuple):
    """A numeric address and a TCP port."""

    address: str
    port: int

    @property
    def is_ipv6(self) -> bool:
        """Whether it is an IPv6 address."""
        return ":" in self.address

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if self.is_ipv6 else f"{self.address}:{self.port}"


def resolve(host: str, port: int, deadline: Deadline) -> tuple[Endpoint, ...]:
    """Every A and AAAA address of a name, in the order in which the system prefers them, each once.

    ``host`` is ASCII (an IDN in its A-labels) or a numeric address, which is returned as it is. Raises
    NameResolutionError and DeadlineExceededError. getaddrinfo knows no timeout: it runs in a thread that is left alone
    when the deadline passes.
    """
    if is_address(host):
        return (Endpoint(host, port),)
    found: list[list[str] | OSError | UnicodeError] = []
    done = threading.Event()

    def ask() -> None:
        try:
            answer = socket.getaddrinfo(host.encode("ascii"), None, type=socket.SOCK_STREAM)
            found.append([str(entry[4][0]) for entry in answer])
        except (OSError, UnicodeError) as error:
            found.append(error)
        done.set()

    threading.Thread(target=ask, daemon=True, name="resolve").start()
    if not done.wait(deadline.require(f"resolving {host}")):
        raise DeadlineExceededError(
            f"timed out after {deadline.seconds:.3g} s while resolving {host}",
            hint="check the name servers in /etc/resolv.conf",
        )
    answer = found[0]
    if not isinstance(answer, list):
        raise NameResolutionError(
            f"the name {host} does not resolve: {_words(answer)}", hint="check the name, and DNS from this machine"
        ) from answer
    return tuple(Endpoint(address, port) for address in dict.fromkeys(answer[:MAX_ADDRESSES]))


def is_address(host: str) -> bool:
    """Whether a host is a numeric IPv4 or IPv6 address (without brackets)."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _words(error: OSError | UnicodeError) -> str:
    text = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
    return text[:1].lower() + text[1:]
