"""Broken inputs for the converter: whatever comes in, a result or an error of pkitools comes out, quickly."""

from __future__ import annotations

import random
import time
import tracemalloc
from dataclasses import replace

from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat, pkcs7

from pkitools.errors import PkiToolsError
from pkitools.keystore.convert import PemOptions, PfxOptions, to_pem, to_pfx
from pkitools.models.secret import Secret
from pkitools.protocol import pem
from pkitools.protocol.pkcs12 import Profile
from tests.unit.keystore import pki

PASSWORD = Secret("pässwörd 🔑")
QUICK = PfxOptions(iterations=1, mac_iterations=1, max_iterations=20_000)
READ = PemOptions(max_iterations=20_000)
SLOWEST_SECONDS = 2.0
_TRADITIONAL = PrivateFormat.TraditionalOpenSSL


class Victim:
    """The converter with seeds of every form that it reads."""

    def __init__(self) -> None:
        chain = pki.pem("root", "rsa", "issuing")
        every = [pki.certificate(kind) for kind in ("root", "rsa", "issuing")]
        plain = chain + pki.key_pem("rsa")
        pfx = to_pfx([("a", plain)], PASSWORD, (), QUICK).data
        old = to_pfx([("a", plain)], PASSWORD, (), replace(QUICK, profile=Profile.WINDOWS2016)).data
        commented = to_pem("x", pfx, (PASSWORD,), READ).files[0].data
        self.seeds = [
            plain,
            commented,
            plain.decode().encode("utf-16"),
            plain.replace(b"\n", b"\\n"),
            chain + pki.key_pem("rsa", _TRADITIONAL, PASSWORD.reveal()),
            chain + pki.key_pem("rsa", PrivateFormat.OpenSSH),
            pki.pem("p-256") + pki.key_pem("p-256", _TRADITIONAL),
            pki.pem("ed25519") + pki.key_pem("ed25519"),
            pki.pem("dsa") + pki.key_pem("dsa", _TRADITIONAL),
            pkcs7.serialize_certificates(every, Encoding.PEM) + pki.key_pem("rsa"),
            pkcs7.serialize_certificates(every, Encoding.DER),
            pki.der("rsa"),
            pki.pkcs8("rsa"),
            pfx,
            old,
        ]
        self.helper = plain

    def attack(self, chance: random.Random) -> str:
        """One broken input; says what came of it. AssertionError: it took too long, or too much memory."""
        data = mutated(chance.choice(self.seeds), chance)
        start = time.process_time()
        traced = chance.random() < 0.02  # tracing is slow
        if traced:
            tracemalloc.start()
        try:
            outcome = self._convert(data, chance)
            if traced:
                peak = tracemalloc.get_traced_memory()[1]
                assert peak < 8_000_000 + 60 * len(data), f"{peak} bytes for {len(data)}"
        finally:
            if traced:
                tracemalloc.stop()
        assert time.process_time() - start < SLOWEST_SECONDS * (5 if traced else 1), "too slow"
        return outcome

    def _convert(self, data: bytes, chance: random.Random) -> str:
        try:
            if chance.random() < 0.5:
                to_pem("x", data, (PASSWORD,), READ)
            else:
                to_pfx([("x", data), ("y", self.helper)], PASSWORD, (PASSWORD,), QUICK)
        except PkiToolsError as error:
            assert "\n" not in error.message and PASSWORD.reveal() not in error.message + error.hint
            return error.error_id
        return "converted"


def mutated(seed: bytes, chance: random.Random) -> bytes:
    """Bits, lengths, pieces and blocks changed; in PEM mostly inside a block, its base64 kept well-formed."""
    if chance.random() < 0.5 and pem.looks_like_pem(seed):
        blocks = list(pem.read_pem(seed))
        if chance.random() < 0.3:
            chance.shuffle(blocks)
        index = chance.randrange(len(blocks))
        changed = replace(blocks[index], der=_broken(blocks[index].der, chance))
        blocks[index] = changed
        label = chance.choice([None, None, None, "PRIVATE KEY", "CERTIFICATE", "PKCS7", "EC PRIVATE KEY", "PKCS12"])
        return b"".join(
            block.preamble.encode("latin-1")
            + pem.write_pem(label if label and block is changed else block.label, block.der, block.headers)
            for block in blocks
        )
    return _broken(seed, chance)


def _broken(data: bytes, chance: random.Random) -> bytes:
    content = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 5))):
        position = chance.randrange(len(content) + 1)
        kind = chance.randrange(6)
        if kind == 0 and position < len(content):
            content[position] ^= 1 << chance.randrange(8)
        elif kind == 1:
            content[position : position + 1] = bytes((chance.choice((0, 0x7F, 0x80, 0x84, 0xFF)),))
        elif kind == 2:
            del content[position : position + chance.choice((1, 2, 16, 400))]
        elif kind == 3:
            content[position:position] = content[position : position + chance.choice((1, 4, 200))]
        elif kind == 4:
            content[position : position + 4] = chance.randbytes(4)
        else:
            content = content[:position] or content
    return bytes(content)
