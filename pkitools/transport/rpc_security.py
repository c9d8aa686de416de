"""Security contexts for RPC out of pyspnego ones: packet privacy with the headers signed along (MS-RPCE 2.2.2.11)."""

from __future__ import annotations

from typing import Any

from pkitools.errors import AuthenticationError, ProtocolError
from pkitools.protocol.dcom.pdu import AuthType
from pkitools.transport.rpc import NotAuthenticError


class SpnegoSecurity:
    """A context of pyspnego (``spnego.client`` with DCE style) as ``transport.rpc`` uses it."""

    def __init__(self, context: Any, auth_type: AuthType) -> None:
        """``context`` negotiates what ``auth_type`` says, with confidentiality and integrity."""
        self._context = context
        self.auth_type: int = auth_type

    @property
    def complete(self) -> bool:
        """Whether the context is established."""
        return bool(self._context.complete)

    def step(self, token: bytes | None) -> bytes | None:
        """The next token. Raises AuthenticationError."""
        from spnego.exceptions import SpnegoError

        if self._context.complete and not token:
            return None
        try:
            answer: bytes | None = self._context.step(token or None)
        except SpnegoError as error:
            raise AuthenticationError(
                f"the authentication failed: {_first_line(error)}",
                hint="check account, realm, clock and the host's SPN",
            ) from error
        return answer

    def signature_size(self) -> int:
        """Octets of a signature."""
        return int(self._context.query_message_sizes().header)

    def seal(self, head: bytes, data: bytes, tail: bytes, *, sign_header: bool) -> tuple[bytes, bytes]:
        """Sealed data and signature."""
        from spnego.iov import BufferType

        kind = self._header_kind(sign_header)
        result = self._context.wrap_iov([(kind, head), data, (kind, tail), BufferType.header])
        sealed, signature = result.buffers[1].data, result.buffers[3].data
        if len(sealed) != len(data) or len(signature) != self.signature_size():
            raise ProtocolError("the security context changed the length of a message")
        return sealed, signature

    def unseal(self, head: bytes, data: bytes, tail: bytes, signature: bytes, *, sign_header: bool) -> bytes:
        """Plain data, its signature verified."""
        from spnego.exceptions import SpnegoError
        from spnego.iov import BufferType

        kind = self._header_kind(sign_header)
        try:
            result = self._context.unwrap_iov([(kind, head), data, (kind, tail), (BufferType.header, signature)])
        except (SpnegoError, ValueError, IndexError) as error:
            # pyspnego takes a hostile signature apart with struct and slices
            raise NotAuthenticError(_first_line(error)) from error
        if not result.encrypted:
            raise NotAuthenticError("the answer is signed but not sealed")
        plain: bytes = result.buffers[1].data
        return plain

    def _header_kind(self, sign_header: bool) -> Any:
        """NTLM signs the headers always; Kerberos when both sides agreed on it."""
        from spnego.iov import BufferType

        signed = sign_header or self._context.negotiated_protocol == "ntlm"
        return BufferType.sign_only if signed else BufferType.data_readonly


def _first_line(error: Exception) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
