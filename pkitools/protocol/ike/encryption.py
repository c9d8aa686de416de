"""The encrypted payloads: SK (RFC 7296 3.14), AES-GCM in it (RFC 5282) and fragments SKF (RFC 7383 2.5)."""

from __future__ import annotations

import hmac
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from pkitools.errors import ProtocolError
from pkitools.protocol.ike.keys import INTEG, SaKeys
from pkitools.protocol.ike.message import HEADER_SIZE, Header, Payload, pack_payloads, unpack_payloads
from pkitools.protocol.ike.numbers import Encr, HeaderFlag, Integ, PayloadType
from pkitools.protocol.ike.reader import Reader

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers import Cipher, modes

_GENERIC_HEADER = 4
_FRAGMENT_HEADER = 4
_GCM_IV, _GCM_TAG = 8, 16
_MAX_FRAGMENTS = 64
_MAX_PLAINTEXT = 1 << 18


class Protection(NamedTuple):
    """One direction of an IKE SA: encrypts what one side sends."""

    keys: SaKeys
    from_initiator: bool

    @property
    def _key(self) -> bytes:
        return self.keys.sk_ei if self.from_initiator else self.keys.sk_er

    @property
    def _integrity_key(self) -> bytes:
        return self.keys.sk_ai if self.from_initiator else self.keys.sk_ar

    @property
    def _block(self) -> int:
        return 16 if self.keys.suite.encr == Encr.AES_CBC else 8

    def _tag_size(self) -> int:
        suite = self.keys.suite
        return _GCM_TAG if suite.is_aead else INTEG[Integ(suite.integ or 0)][2]

    def _cipher(self, iv: bytes) -> Cipher[modes.CBC]:
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        if self.keys.suite.encr == Encr.AES_CBC:
            return Cipher(algorithms.AES(self._key), modes.CBC(iv))
        from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES

        # single DES is 3DES with the same key three times
        return Cipher(TripleDES(self._key * 3 if len(self._key) == 8 else self._key), modes.CBC(iv))

    def _check_value(self, data: bytes) -> bytes:
        digest, _, size = INTEG[Integ(self.keys.suite.integ or 0)]
        return hmac.digest(self._integrity_key, data, digest)[:size]

    def _seal(self, clear: bytes, head_of: HeadBuilder) -> bytes:
        """Head | IV | ciphertext | check value. The head holds the length, so it is built once that is known."""
        if self.keys.suite.is_aead:
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM

            iv = os.urandom(_GCM_IV)
            head = head_of.build(_GCM_IV + len(clear) + 1 + _GCM_TAG)
            return head + iv + AESGCM(self._key[:-4]).encrypt(self._key[-4:] + iv, clear + b"\0", head)
        iv = os.urandom(self._block)
        padding = -(len(clear) + 1) % self._block
        padded = clear + bytes(padding) + bytes((padding,))
        head = head_of.build(len(iv) + len(padded) + self._tag_size())
        encryptor = self._cipher(iv).encryptor()
        sealed = head + iv + encryptor.update(padded) + encryptor.finalize()
        return sealed + self._check_value(sealed)

    def _open(self, head: bytes, body: bytes) -> bytes:
        """The clear text of IV | ciphertext | check value behind the authenticated ``head``. Raises ProtocolError."""
        clear = self._open_gcm(head, body) if self.keys.suite.is_aead else self._open_cbc(head, body)
        if not clear or clear[-1] + 1 > len(clear):
            raise ProtocolError("the padding of an encrypted IKE payload is broken")
        return clear[: len(clear) - 1 - clear[-1]]

    def _open_gcm(self, head: bytes, body: bytes) -> bytes:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        reader = Reader(body, "encrypted payload")
        iv = reader.take(_GCM_IV)
        if reader.remaining < _GCM_TAG + 1:
            raise ProtocolError("an encrypted IKE payload is cut short")
        try:
            return AESGCM(self._key[:-4]).decrypt(self._key[-4:] + iv, reader.rest(), head)
        except InvalidTag as error:
            raise ProtocolError("the integrity check of an encrypted IKE payload fails") from error

    def _open_cbc(self, head: bytes, body: bytes) -> bytes:
        size = self._tag_size()
        reader = Reader(body, "encrypted payload")
        iv = reader.take(self._block)
        sealed = reader.take(reader.remaining - size)
        if not hmac.compare_digest(self._check_value(head + iv + sealed), reader.rest()):
            raise ProtocolError("the integrity check of an encrypted IKE payload fails")
        if not sealed or len(sealed) % self._block:
            raise ProtocolError("an encrypted IKE payload is no multiple of the cipher's block")
        decryptor = self._cipher(iv).decryptor()
        return decryptor.update(sealed) + decryptor.finalize()

    def encrypt(self, header: Header, payloads: tuple[Payload, ...]) -> bytes:
        """A whole message whose payloads travel in one SK payload. ``header`` gives SPIs, exchange, flags and id."""
        first = payloads[0].type if payloads else 0
        return self._seal(pack_payloads(payloads), HeadBuilder(header, PayloadType.SK, first))

    def encrypt_fragments(self, header: Header, payloads: tuple[Payload, ...], size: int) -> tuple[bytes, ...]:
        """The same message as SKF fragments of ``size`` clear bytes each, RFC 7383 2.5.1."""
        first = payloads[0].type if payloads else 0
        clear = pack_payloads(payloads)
        parts = [clear[start : start + size] for start in range(0, len(clear), size)] or [b""]
        return tuple(
            self._seal(part, HeadBuilder(header, PayloadType.SKF, 0 if index else first, (index + 1, len(parts))))
            for index, part in enumerate(parts)
        )

    def decrypt(self, datagram: bytes) -> tuple[Payload, ...]:
        """The payloads inside a message that ends with an SK payload. Raises ProtocolError.

        Payloads before SK are not authenticated as such by a peer who follows the standard, and are dropped.
        """
        encrypted = _last_payload(datagram, PayloadType.SK)
        head = datagram[: len(datagram) - len(encrypted.body)]
        return unpack_payloads(self._open(head, encrypted.body), encrypted.inner)

    def open_fragment(self, datagram: bytes) -> Fragment:
        """One authenticated fragment. Raises ProtocolError."""
        encrypted = _last_payload(datagram, PayloadType.SKF)
        reader = Reader(encrypted.body, "fragment")
        number, total = reader.number(2), reader.number(2)
        if not 1 <= number <= total <= _MAX_FRAGMENTS:
            raise ProtocolError(f"the IKE fragment {number} of {total} cannot be")
        head = datagram[: len(datagram) - reader.remaining]
        return Fragment(number, total, encrypted.inner, self._open(head, reader.rest()))


class HeadBuilder(NamedTuple):
    """What stands before the IV and is authenticated: IKE header, generic header, for SKF the fragment numbers."""

    header: Header
    type: int
    inner: int
    fragment: tuple[int, int] | None = None

    def build(self, sealed: int) -> bytes:
        """The head for ``sealed`` bytes of IV, ciphertext and check value."""
        numbers = b"" if self.fragment is None else b"".join(item.to_bytes(2, "big") for item in self.fragment)
        length = _GENERIC_HEADER + len(numbers) + sealed
        header = Header(
            self.header.initiator_spi,
            self.header.responder_spi,
            self.type,
            self.header.exchange,
            self.header.flags,
            self.header.message_id,
            HEADER_SIZE + length,
        )
        return header.pack() + bytes((self.inner, 0)) + length.to_bytes(2, "big") + numbers


class Fragment(NamedTuple):
    """One piece of a fragmented message, RFC 7383 2.5: ``inner`` counts in the first one only."""

    number: int
    total: int
    inner: int
    clear: bytes


@dataclass(slots=True)
class Assembly:
    """Fragments of one message as they arrive, in any order, some twice (RFC 7383 2.6)."""

    _parts: dict[int, Fragment] = field(default_factory=dict)
    _total: int = 0

    @property
    def total(self) -> int:
        """Number of fragments of the message, 0 before the first one came."""
        return self._total

    def add(self, fragment: Fragment) -> tuple[Payload, ...] | None:
        """The payloads once all fragments are there, else None. Raises ProtocolError for a malformed whole.

        A larger total means that the peer began anew with smaller fragments; a smaller one is an old datagram.
        """
        if fragment.total < self._total:
            return None
        if fragment.total > self._total:
            self._parts.clear()
            self._total = fragment.total
        self._parts.setdefault(fragment.number, fragment)
        if len(self._parts) < self._total:
            return None
        clear = b"".join(self._parts[number].clear for number in range(1, self._total + 1))
        return unpack_payloads(clear, self._parts[1].inner)


def _last_payload(datagram: bytes, kind: int) -> Payload:
    header = Header.unpack(datagram)
    if header.length != len(datagram) or header.length > _MAX_PLAINTEXT:
        raise ProtocolError(f"the IKE header says {header.length} bytes, the datagram has {len(datagram)}")
    chain = unpack_payloads(datagram[HEADER_SIZE:], header.next_payload)
    if not chain or chain[-1].type != kind:
        raise ProtocolError("the IKE message is not encrypted where it must be")
    return chain[-1]


def request_header(spis: tuple[bytes, bytes], exchange: int, message_id: int) -> Header:
    """The header of a request that we, the initiator, send in an established exchange."""
    return Header(spis[0], spis[1], 0, exchange, HeaderFlag.INITIATOR, message_id, 0)
