"""NTLM as a Windows acceptor checks it: the proof covers the blob as received (MS-NLMP 3.3.2).

pyspnego's acceptor rebuilds the blob from what it understood, so it refuses clients that leave out the four octets at
its end, as impacket does.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
import threading
from typing import Any

import spnego._ntlm as provider

_received = threading.local()
_original = provider.compute_response_v2


def _compute(nt_hash: bytes, server_challenge: bytes, client_challenge: bytes, time: Any, pairs: Any) -> Any:
    blob = getattr(_received, "blob", None)
    if blob is None:
        return _original(nt_hash, server_challenge, client_challenge, time, pairs)
    proof = hmac.new(nt_hash, server_challenge + blob, hashlib.md5).digest()
    _, lm_response, _ = _original(nt_hash, server_challenge, client_challenge, time, pairs)
    return proof + blob, lm_response, hmac.new(nt_hash, proof, hashlib.md5).digest()


provider.compute_response_v2 = _compute


def accept(acceptor: Any, token: bytes) -> bytes:
    """One step of an NTLM acceptor."""
    _received.blob = None
    if token[:12] == b"NTLMSSP\0\x03\0\0\0":
        size, _, at = struct.unpack_from("<HHI", token, 20)
        _received.blob = token[at + 16 : at + size]
    try:
        return acceptor.step(token) or b""
    finally:
        _received.blob = None
