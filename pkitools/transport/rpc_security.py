"""Logons for RPC: contexts with packet privacy and the headers signed along (MS-RPCE 2.2.2.11), Kerberos or NTLM.

The rule that a wrong password is sent once only holds here too: Kerberos proves the account when the ticket is fetched,
NTLM with the first call, so each is done within ``Logon.attempt``.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from pkitools.errors import (
    AuthenticationError,
    LogonRefusedError,
    MissingDependencyError,
    NoAnswerError,
    PkiToolsError,
    ProtocolError,
)
from pkitools.protocol.dcom.pdu import AuthType
from pkitools.transport.credentials import AuthMethod
from pkitools.transport.deadline import Deadline
from pkitools.transport.rpc import RpcSecurity
from pkitools.transport.rpc_errors import NotAuthenticError
from pkitools.transport.security import ContextOptions, Logon, SecurityContext, Target

SERVICE = "host"
"""AD maps rpcss, rpc and dcom to host (sPNMappings), so a ticket for host/NAME serves DCOM."""

_OPTIONS = ContextOptions(protect=True, negotiate=False, dce_style=True)
_WRAPPED = ContextOptions(protect=True, negotiate=True, dce_style=True)
_AUTH_TYPES = {AuthMethod.KERBEROS: AuthType.KERBEROS, AuthMethod.NTLM: AuthType.NTLM}


class RpcLogon:
    """The logon to one host, under the name that the user gave, for as many connections as it takes."""

    def __init__(
        self, logon: Logon, host: str, deadline: Deadline, methods: Sequence[AuthMethod] | None = None
    ) -> None:
        """``methods`` limits what may be tried; by default what the credentials allow."""
        self._logon = logon
        self._host = host
        self._deadline = deadline
        self._methods = list(methods if methods is not None else logon.methods(host))
        self.method: AuthMethod | None = None
        self.uses_spnego = False

    def wrap_in_spnego(self) -> None:
        """From now on tokens travel inside SPNEGO (RPC_C_AUTHN_GSS_NEGOTIATE): some hosts take nothing else."""
        self.uses_spnego = True

    def security(self) -> RpcSecurity:
        """A fresh context. Kerberos first; NTLM where Kerberos is not possible and the methods allow it.

        Raises AuthenticationError, MissingDependencyError, NoAnswerError (no KDC).
        """
        failure: PkiToolsError | None = None
        for method in [self.method] if self.method else self._methods:
            if method is AuthMethod.SIMPLE:
                continue
            try:
                made = self._make(method)
            except LogonRefusedError:
                raise
            except (MissingDependencyError, NoAnswerError, AuthenticationError) as error:
                failure = failure or error
                continue
            self.method = method
            return made
        raise failure or AuthenticationError(
            "no method of authentication is left for RPC", hint="give --auth kerberos or --auth ntlm"
        )

    def _make(self, method: AuthMethod) -> RpcSecurity:
        if method is not AuthMethod.KERBEROS:
            return self._initiate(method)
        with self._logon.attempt(self._deadline):
            security = self._initiate(method)
            security.prepare()
            return security

    def _initiate(self, method: AuthMethod) -> _PrivacySecurity:
        options = _WRAPPED if self.uses_spnego else _OPTIONS
        context = self._logon.initiate(Target(SERVICE, self._host), method, options, self._deadline)
        auth_type = AuthType.SPNEGO if self.uses_spnego else _AUTH_TYPES[method]
        return _PrivacySecurity(context, auth_type, self._deadline)

    @property
    def principal(self) -> str:
        """The service principal name: of the host as the user named it."""
        return f"{SERVICE}/{self._host}"

    @property
    def is_proven_by_bind(self) -> bool:
        """Whether the bind itself tells if the password is right: NTLM inside SPNEGO has an answer to its last leg."""
        return self.uses_spnego and self.method is AuthMethod.NTLM

    def proving(self) -> AbstractContextManager[None]:
        """Around the first protected call: with NTLM only that tells whether the password was right.

        A host that is silent then holds up the others for a quarter of the time, not for all of it.
        """
        if self.method is AuthMethod.KERBEROS:
            return nullcontext()
        return self._logon.attempt(self._deadline, self._deadline.seconds / 4)


class _PrivacySecurity:
    """A security context as ``transport.rpc`` uses it."""

    def __init__(self, context: SecurityContext, auth_type: AuthType, deadline: Deadline) -> None:
        self._context = context
        self._proxy: Any = context.proxy
        self._deadline = deadline
        self._first: bytes | None = None
        self.auth_type: int = auth_type

    def prepare(self) -> None:
        """Make the first token now, since that may ask a KDC."""
        self._first = self._context.step(None, self._deadline)

    @property
    def complete(self) -> bool:
        """Whether the context is established."""
        return self._context.complete

    def step(self, token: bytes | None) -> bytes | None:
        """The next token."""
        if token is None and self._first is not None:
            first, self._first = self._first, None
            return first
        if self._context.complete and not token:
            return None
        made = self._context.step(token, self._deadline)
        if self._context.complete and not self._context.protects:
            raise NotAuthenticError("the host did not agree to signing and sealing")
        return made

    def signature_size(self) -> int:
        """Octets of a signature."""
        from spnego.exceptions import SpnegoError

        try:
            return int(self._proxy.query_message_sizes().header)
        except SpnegoError as error:
            raise ProtocolError("the server ended the authentication before it was complete") from error

    def seal(self, head: bytes, data: bytes, tail: bytes, *, sign_header: bool) -> tuple[bytes, bytes]:
        """Sealed data and signature."""
        from spnego.exceptions import SpnegoError
        from spnego.iov import BufferType

        kind = self._header_kind(sign_header)
        try:
            result = self._proxy.wrap_iov([(kind, head), data, (kind, tail), BufferType.header])
        except SpnegoError as error:
            raise ProtocolError("the security context cannot seal a request") from error
        sealed, signature = result.buffers[1].data, result.buffers[3].data
        if len(sealed) != len(data) or len(signature) != self.signature_size():
            raise ProtocolError("the security context changed the length of a message")
        return sealed, signature

    def unseal(self, head: bytes, data: bytes, tail: bytes, signature: bytes, *, sign_header: bool) -> bytes:
        """Plain data, its signature verified."""
        import struct

        from spnego.exceptions import SpnegoError
        from spnego.iov import BufferType

        kind = self._header_kind(sign_header)
        try:
            result = self._proxy.unwrap_iov([(kind, head), data, (kind, tail), (BufferType.header, signature)])
        except (SpnegoError, ValueError, LookupError, ArithmeticError, struct.error) as error:
            # pyspnego takes a hostile signature apart with struct and slices
            raise NotAuthenticError("the signature is wrong") from error
        if not result.encrypted:
            raise NotAuthenticError("the answer is signed but not sealed")
        plain: bytes = result.buffers[1].data
        return plain

    def _header_kind(self, sign_header: bool) -> Any:
        """NTLM signs the headers always; Kerberos when both sides agreed on it."""
        from spnego.iov import BufferType

        signed = sign_header or self._context.method is AuthMethod.NTLM
        return BufferType.sign_only if signed else BufferType.data_readonly
