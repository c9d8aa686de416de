"""Hostile IKE responders: mutated answers through codec, search and proof. Usage: scripts/fuzz/ike.py [COUNT] [SEED]

Only errors of pkitools may leave, within bounded packets. A failure prints the seed's number that brings it back.
"""

from __future__ import annotations

import datetime
import random
import sys
import time
from pathlib import Path
from types import SimpleNamespace

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

sys.path.insert(0, str(Path(__file__).parents[2]))

from pkitools.aovpn.ike.certificate import read_proof
from pkitools.aovpn.ike.features import features_of
from pkitools.aovpn.ike.inquiry import Inquiry, InquiryStopped
from pkitools.aovpn.ike.offers import ALL as EVERYTHING
from pkitools.aovpn.ike.offers import proposals_for
from pkitools.aovpn.ike.other import OtherSearch
from pkitools.aovpn.ike.search import PolicySearch
from pkitools.aovpn.policy import BASELINES, ike_transforms
from pkitools.errors import PkiToolsError
from pkitools.protocol.ike.encryption import Assembly, Protection
from pkitools.protocol.ike.keys import Suite, derive_keys
from pkitools.protocol.ike.message import Header, Message, Payload
from pkitools.protocol.ike.numbers import Exchange, HeaderFlag, PayloadType
from pkitools.protocol.ike.payloads import CertificateRequest, KeyExchange, Notify
from pkitools.protocol.ike.proposals import pack_proposals
from pkitools.protocol.ike.sa_init import Chosen, is_response_to, read_response
from pkitools.transport.udp import IKE_PORT, Reply

SPI, SERVER_SPI = b"initiate", b"response"
MOST_PACKETS = 400  # the search of a server that accepts everything takes 200
ALL = proposals_for(EVERYTHING)
ONE = proposals_for((ike_transforms(BASELINES["aovpn-standard"].ike[0]),))


def _notify(kind: int, data: bytes = b"") -> Payload:
    return Payload(PayloadType.NOTIFY, Notify(kind, data).pack())


def _answer(*payloads: Payload) -> bytes:
    return Message(SPI, SERVER_SPI, Exchange.IKE_SA_INIT, HeaderFlag.RESPONSE, 0, payloads).pack()


CHOICE = (
    Payload(PayloadType.SA, pack_proposals(ONE)),
    Payload(PayloadType.KE, KeyExchange(14, b"\x7f" * 256).pack()),
    Payload(PayloadType.NONCE, bytes(32)),
)
SEEDS = (
    _answer(_notify(14)),
    _answer(_notify(17, b"\x00\x0e")),
    _answer(_notify(17, b"\x00\x1f")),
    _answer(_notify(16390, b"cookie")),
    _answer(_notify(7)),
    _answer(_notify(16407, b"\x03\x02gw")),
    _answer(*CHOICE),
    _answer(
        *CHOICE,
        _notify(16388, bytes(20)),
        _notify(16389, bytes(20)),
        _notify(16430),
        Payload(PayloadType.CERTREQ, CertificateRequest(4, (bytes(20),) * 3).pack()),
        Payload(PayloadType.VENDOR_ID, bytes.fromhex("1e2b516905991c7d7c96fcbfb587e46100000009")),
    ),
    _answer(Payload(PayloadType.SA, pack_proposals(ALL)), *CHOICE[1:]),
)
KEYS = {
    suite: derive_keys(suite, b"shared", (bytes(16), bytes(32)), (SPI, SERVER_SPI))
    for suite in (Suite(20, 128, 5, None, 14), Suite(12, 256, 5, 12, 14), Suite(3, None, 2, 2, 2))
}


def _certificate() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "vpn.example.test")])
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(start).not_valid_after(start.replace(year=2030))
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


CERTIFICATE = _certificate()
PROOF = (
    Payload(PayloadType.IDR, b"\x02\0\0\0vpn.example.test"),
    Payload(PayloadType.CERT, b"\x04" + CERTIFICATE),
    Payload(PayloadType.CERT, b"\x0c" + bytes(20) + b"http://pki.example/ca.cer"),
    Payload(PayloadType.AUTH, b"\x0e\0\0\0" + b"\x0c" + bytes.fromhex("300a06082a8648ce3d040302") + bytes(70)),
    Payload(PayloadType.EAP, bytes.fromhex("0101000501")),
)
FAILURE = (
    Payload(PayloadType.IDR, b"\x09\0\0\0" + bytes.fromhex("300e310c300a06035504030c0376706e")),
    _notify(24),
    Payload(PayloadType.EAP, bytes.fromhex("04010004")),
)


def mutate(data: bytes, rng: random.Random) -> bytes:
    """One to four small damages: flipped bits, bytes at boundaries, cuts, repeats, lengths made to fit again."""
    mutable = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        kind = rng.randrange(6)
        at = rng.randrange(len(mutable)) if mutable else 0
        if kind == 0 and mutable:
            mutable[at] ^= 1 << rng.randrange(8)
        elif kind == 1 and mutable:
            mutable[at] = rng.choice((0, 1, 3, 4, 0x7F, 0x80, 0xFF))
        elif kind == 2:
            del mutable[at:]
        elif kind == 3:
            mutable[at:at] = rng.randbytes(rng.randint(1, 12))
        elif kind == 4:
            mutable[at:at] = mutable[at : at + rng.randint(1, 60)] * rng.randint(1, 5)
        elif mutable:
            del mutable[at : at + rng.randint(1, 8)]
    if len(mutable) >= 28 and rng.random() < 0.8:
        mutable[24:28] = len(mutable).to_bytes(4, "big")
        mutable[:8] = data[:8]
    return bytes(mutable)


def try_answer(rng: random.Random) -> None:
    """Codec and features."""
    data = mutate(rng.choice(SEEDS), rng)
    is_response_to(SPI, Exchange.IKE_SA_INIT, 0, data)
    response = read_response(data)
    if isinstance(response, Chosen):
        features_of(SPI, response, ("192.0.2.1", 500), ("2001:db8::1", 500), {})


def try_proof(rng: random.Random) -> None:
    """What an authenticated server says in IKE_AUTH, whole and in fragments."""
    keys = rng.choice(list(KEYS.values()))
    payloads = rng.choice((PROOF, FAILURE))
    number = rng.randrange(len(payloads))
    damaged = Payload(payloads[number].type, mutate(payloads[number].body, rng))
    payloads = (*payloads[:number], damaged, *payloads[number + 1 :])
    server = Protection(keys, from_initiator=False)
    header = Header(SPI, SERVER_SPI, 0, Exchange.IKE_AUTH, HeaderFlag.RESPONSE, 1, 0)
    if rng.random() < 0.3:
        pieces = server.encrypt_fragments(header, payloads, rng.randint(20, 400))
        assembly = Assembly()
        read = None
        for piece in pieces:
            read = assembly.add(server.open_fragment(piece if rng.random() < 0.9 else mutate(piece, rng)))
    else:
        sealed = server.encrypt(header, payloads)
        read = server.decrypt(sealed if rng.random() < 0.7 else mutate(sealed, rng))
    if read is not None:
        acceptance = SimpleNamespace(message=bytes(40), request=SimpleNamespace(nonce=bytes(16)))
        read_proof(read, acceptance, SimpleNamespace(keys=keys, fragments=1))


class _Session:
    address = "192.0.2.1"

    @staticmethod
    def local(port: object) -> tuple[str, int]:
        return "192.0.2.2", 40000


def try_search(rng: random.Random) -> int:
    """Whole searches against a server that sends well-formed nonsense and damaged answers. Returns the packets."""
    inquiry = Inquiry(_Session(), IKE_PORT)  # type: ignore[arg-type]
    conversation = (
        PolicySearch(inquiry, fast=rng.random() < 0.5).run() if rng.random() < 0.8 else OtherSearch(inquiry).run()
    )
    packets = 0
    favourite = rng.sample(SEEDS, rng.randint(1, 3))
    damage = rng.choice((0.0, 0.02, 0.2))
    try:
        request = next(conversation)
        while packets < MOST_PACKETS:
            packets += 1
            data = rng.choice(favourite)
            if rng.random() < damage:
                data = mutate(data, rng)
            request = conversation.send(Reply(request.data[:8] + data[8:]))
    except (StopIteration, InquiryStopped):
        return packets
    raise AssertionError(f"{packets} packets and no end")


def run(count: int, seed: int) -> int:
    """Tries ``count`` mutated answers; returns how many were refused with an error of ours."""
    refused, done, number = 0, 0, 0
    while done < count:
        rng = random.Random(f"{seed}:{number}")
        number += 1
        kind = rng.random()
        try:
            if kind < 0.9:
                done += 1
                try_answer(rng)
            elif kind < 0.999:
                done += 1
                try_proof(rng)
            else:
                done += 1
                done += try_search(rng)
        except PkiToolsError:
            refused += 1
        except BaseException:
            print(f"seed {seed}:{number - 1}", file=sys.stderr)
            raise
    return refused


if __name__ == "__main__":
    total = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    start = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    began = time.perf_counter()
    errors = run(total, start)
    print(f"{total} mutated answers in {time.perf_counter() - began:.0f} s: {errors} refused, none escaped")
