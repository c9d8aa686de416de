"""What can go wrong in an RPC association: refused, answered with a fault, or not authentic."""

from __future__ import annotations

from pkitools.errors import AuthenticationError, PkiToolsError, ProtocolError
from pkitools.protocol.dcom.ids import Interface


class NotAuthenticError(ProtocolError):
    """An answer is not protected as agreed, or its signature is wrong: somebody changed it, or never knew the key."""

    error_id = "ReplyNotAuthentic"

    def __init__(self, message: str) -> None:
        super().__init__(
            f"reply not authentic: {message}",
            hint="do not trust this answer; look for a proxy, a load balancer or an attacker between you and the host",
        )


class RpcFaultError(PkiToolsError):
    """The server answered a call with a fault PDU; ``status`` is its number, not authenticated."""

    error_id = "RpcFault"

    def __init__(self, status: int) -> None:
        super().__init__(f"the server answered with RPC fault 0x{status:08X}")
        self.status = status


class BindRejectedError(PkiToolsError):
    """The server knows no such interface on this port, or refuses the transfer syntax."""

    error_id = "RpcBindRejected"

    def __init__(self, interface: Interface, reason: int) -> None:
        super().__init__(f"the server does not offer {interface.name} here (reason {reason})")
        self.interface = interface
        self.reason = reason


class BindNakError(AuthenticationError):
    """bind_nak: the association is refused; reason 8 means the authentication type or token was not accepted."""

    def __init__(self, reason: int) -> None:
        super().__init__(f"the server refused the RPC association (bind_nak reason {reason})")
        self.reason = reason
