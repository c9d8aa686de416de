"""LDAP requests and their answers over one channel. ldap3 builds the requests, filters and controls.

The answers are read by ``protocol.ldap.messages``; lengths, message ids and result codes are checked, values stay raw.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Any

from ldap3.core.exceptions import LDAPExceptionError
from ldap3.operation.extended import extended_operation
from ldap3.operation.search import search_operation
from ldap3.operation.unbind import unbind_operation
from ldap3.protocol.microsoft import security_descriptor_control
from ldap3.protocol.rfc2696 import paged_search_control
from ldap3.protocol.rfc4511 import (
    AuthenticationChoice,
    BindRequest,
    Controls,
    LDAPMessage,
    MessageID,
    ProtocolOp,
    SaslCredentials,
    Simple,
    Version,
)
from ldap3.utils.asn1 import encode
from pyasn1.error import PyAsn1Error

from pkitools.errors import ConnectError, InputError, ProtocolError
from pkitools.protocol.ldap import messages
from pkitools.protocol.ldap.messages import Entry, Message, Result
from pkitools.transport.ldap_channel import LdapChannel

_START_TLS = "1.3.6.1.4.1.1466.20037"
_OWNER_GROUP_DACL = 7
"""SDFlags: all parts of a descriptor but the audit list, which a plain user may not read (MS-ADTS 3.1.1.3.4.1.11)."""
_NEVER_DEREFERENCE = 0
_MAX_PAGE = 100_000
_MAX_SEARCH_BYTES = 512 * 1024 * 1024
_MAX_EMPTY_PAGES = 100


class Scope(Enum):
    """How deep a search goes (RFC 4511 4.5.1.2)."""

    BASE = 0
    LEVEL = 1
    SUBTREE = 2


class LdapClient:
    """The requests of one connection, one after the other. ``requests`` counts the searches sent, each page as one."""

    def __init__(self, channel: LdapChannel) -> None:
        self.channel = channel
        self.requests = 0
        self._last_id = 0

    def bind_simple(self, name: str, password: str) -> Result:
        """A simple bind. The caller sees to it that the channel is TLS.

        The password goes as UTF-8 just as it is: ldap3 would prepare it (RFC 4013) and change some.
        """
        choice = AuthenticationChoice().setComponentByName("simple", Simple(password.encode("utf-8", "surrogatepass")))
        return self._bind(name, choice)

    def bind_sasl(self, mechanism: str, token: bytes) -> Result:
        """One leg of a SASL bind (RFC 4513 5.2)."""
        credentials = SaslCredentials()
        credentials["mechanism"] = mechanism
        credentials["credentials"] = token
        return self._bind("", AuthenticationChoice().setComponentByName("sasl", credentials))

    def start_tls(self) -> Result:
        """Asks for TLS on this connection (RFC 4511 4.14)."""
        return self._single("extendedReq", extended_operation(_START_TLS), messages.EXTENDED_RESPONSE)

    def search(
        self,
        base: str,
        query: str,
        attributes: Sequence[str],
        *,
        scope: Scope,
        descriptors: bool = False,
        page_size: int | None = None,
    ) -> Iterator[Entry | Result]:
        """The entries, then the last page's result. References to other servers are not followed.

        A page is received whole before its first entry is handed out: other requests may stand between two entries.
        ``page_size`` None asks for everything at once: for a single object. Raises InputError for a filter or name that
        cannot be encoded.
        """
        try:
            request = search_operation(
                base, query, scope.value, _NEVER_DEREFERENCE, list(attributes), 0, 0, False, False, False
            )
        except (LDAPExceptionError, PyAsn1Error) as error:
            raise InputError(f"the search {query!r} below {base!r} cannot be sent: {error}") from error
        cookie = b""
        empty = 0
        first_byte = self.channel.bytes_received
        while True:
            entries, result = self._page(request, descriptors, page_size, cookie, first_byte)
            yield from entries
            empty = 0 if entries else empty + 1
            if result.code or not result.cookie or page_size is None:
                yield result
                return
            if empty > _MAX_EMPTY_PAGES:
                raise ProtocolError(f"{self.channel.peer} sends one empty page after the other")
            cookie = result.cookie

    def unbind(self) -> None:
        """Says good-bye; the server answers nothing."""
        self._send("unbindRequest", unbind_operation(), [])

    def _page(
        self, request: Any, descriptors: bool, page_size: int | None, cookie: bytes, first_byte: int
    ) -> tuple[list[Entry], Result]:
        controls = list(security_descriptor_control(True, _OWNER_GROUP_DACL)) if descriptors else []
        if page_size is not None:
            controls.append(paged_search_control(True, page_size, cookie))
        message_id = self._send("searchRequest", request, controls)
        self.requests += 1
        entries: list[Entry] = []
        while True:
            message = self._receive(message_id)
            if message.tag == messages.SEARCH_ENTRY:
                entries.append(messages.read_entry(message))
                if len(entries) > _MAX_PAGE or self.channel.bytes_received - first_byte > _MAX_SEARCH_BYTES:
                    raise ProtocolError(f"{self.channel.peer} sends more entries than anybody can have asked for")
            elif message.tag == messages.SEARCH_DONE:
                return entries, messages.read_result(message)
            elif message.tag != messages.SEARCH_REFERENCE:
                raise self._unexpected(message)

    def _bind(self, name: str, authentication: Any) -> Result:
        request = BindRequest()
        request["version"] = Version(3)
        request["name"] = name
        request["authentication"] = authentication
        return self._single("bindRequest", request, messages.BIND_RESPONSE)

    def _single(self, operation: str, request: Any, answer: int) -> Result:
        message = self._receive(self._send(operation, request, []))
        if message.tag != answer:
            raise self._unexpected(message)
        return messages.read_result(message)

    def _send(self, operation: str, request: Any, controls: Sequence[Any]) -> int:
        self._last_id += 1
        message = LDAPMessage()
        message["messageID"] = MessageID(self._last_id)
        message["protocolOp"] = ProtocolOp().setComponentByName(operation, request)
        if controls:
            listed = Controls()
            listed.extend(controls)
            message["controls"] = listed
        try:
            data = bytes(encode(message))
        except PyAsn1Error as error:
            raise InputError(f"the LDAP request cannot be encoded: {error}") from error
        self.channel.send(data)
        return self._last_id

    def _receive(self, message_id: int) -> Message:
        message = messages.read_message(self.channel.receive_message())
        if message.message_id == message_id:
            return message
        if message.message_id == 0 and message.tag == messages.EXTENDED_RESPONSE:
            result = messages.read_result(message)
            if result.response_name == messages.NOTICE_OF_DISCONNECTION:
                raise ConnectError(
                    f"{self.channel.peer} ends the connection: {result.diagnostic or f'result {result.code}'}",
                    hint="try again, or another server with --server",
                )
        raise ProtocolError(f"{self.channel.peer} answered message {message.message_id}, not {message_id}")

    def _unexpected(self, message: Message) -> ProtocolError:
        return ProtocolError(f"{self.channel.peer} sent an LDAP answer of an unexpected kind (0x{message.tag:02x})")
