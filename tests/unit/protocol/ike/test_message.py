"""The codec: bytes and objects both ways, damaged bytes, and scapy's opinion."""

from __future__ import annotations

import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pkitools.errors import ProtocolError
from pkitools.protocol.ike.message import HEADER_SIZE, Header, Message, Payload, pack_payloads, unpack_payloads
from pkitools.protocol.ike.numbers import Exchange, HeaderFlag, PayloadType, TransformType
from pkitools.protocol.ike.payloads import (
    Certificate,
    CertificateRequest,
    Eap,
    Identification,
    KeyExchange,
    Notify,
    TrafficSelector,
    nat_detection_hash,
    pack_selectors,
)
from pkitools.protocol.ike.proposals import Proposal, Transform, esp_proposal, pack_proposals, unpack_proposals
from pkitools.protocol.ike.sa_init import (
    Chosen,
    CookieDemand,
    NoProposal,
    OtherVersion,
    Refusal,
    SaInitRequest,
    WrongGroup,
    is_response_to,
    read_response,
)

AES256_SHA256_ECP256 = Proposal(
    1,
    1,
    (
        Transform(TransformType.ENCR, 12, 256),
        Transform(TransformType.PRF, 5),
        Transform(TransformType.INTEG, 12),
        Transform(TransformType.DH, 19),
    ),
)
SA_BYTES = bytes.fromhex("0000002c010100040300000c0100000c800e01000300000802000005030000080300000c0000000804000013")
SPI = bytes.fromhex("0011223344556677")
NO_PROPOSAL = SPI + bytes(8) + bytes.fromhex("29202220 00000000 00000024 00000008 0000000e")
INVALID_KE = SPI + bytes(8) + bytes.fromhex("29202220 00000000 00000026 0000000a 00000011 0013")


def answer(*payloads: Payload, spi: bytes = SPI) -> bytes:
    return Message(spi, bytes(8), Exchange.IKE_SA_INIT, HeaderFlag.RESPONSE, 0, payloads).pack()


def notify(kind: int, data: bytes = b"") -> Payload:
    return Payload(PayloadType.NOTIFY, Notify(kind, data).pack())


def test_sa_payload_byte_for_byte():
    assert pack_proposals((AES256_SHA256_ECP256,)) == SA_BYTES
    assert unpack_proposals(SA_BYTES) == (AES256_SHA256_ECP256,)


def test_request_layout():
    request = SaInitRequest((AES256_SHA256_ECP256,), KeyExchange(19, bytes(64)), spi=SPI, nonce=b"n" * 16)
    data = request.pack()
    assert data[:HEADER_SIZE] == SPI + bytes(8) + bytes.fromhex("21202208 00000000") + len(data).to_bytes(4, "big")
    assert data[HEADER_SIZE : HEADER_SIZE + 4] == bytes.fromhex("22000030")
    message = Message.unpack(data)
    assert [item.type for item in message.payloads] == [PayloadType.SA, PayloadType.KE, PayloadType.NONCE]
    assert KeyExchange.unpack(message.bodies(PayloadType.KE)[0]) == KeyExchange(19, bytes(64))


def test_cookie_goes_first_and_changes_nothing_else():
    request = SaInitRequest((AES256_SHA256_ECP256,), KeyExchange(19, bytes(64)), spi=SPI)
    again = Message.unpack(request.with_cookie(b"crumb").pack())
    assert again.payloads[0] == notify(16390, b"crumb")
    assert again.payloads[1:] == Message.unpack(request.pack()).payloads
    assert again.initiator_spi == SPI


def test_answers_that_charon_gave():
    assert read_response(NO_PROPOSAL) == NoProposal()
    assert read_response(INVALID_KE) == WrongGroup(19)


@pytest.mark.parametrize(
    ("data", "meaning"),
    [
        (answer(notify(16390, b"c" * 64)), CookieDemand(b"c" * 64)),
        (answer(notify(7)), Refusal(7)),
        (answer(notify(16407, b"\x03\x03gw.")), Refusal(16407, b"\x03\x03gw.")),
        (answer(notify(9999, b"x")), Refusal(9999, b"x")),
        (answer(notify(16430), notify(14)), NoProposal()),
        (SPI + bytes(8) + bytes.fromhex("0b100500 00000000 0000001c"), OtherVersion(1)),
    ],
)
def test_other_answers(data, meaning):
    assert read_response(data) == meaning


def test_chosen():
    payloads = (
        Payload(PayloadType.SA, SA_BYTES),
        Payload(PayloadType.KE, KeyExchange(19, bytes(64)).pack()),
        Payload(PayloadType.NONCE, b"r" * 32),
        notify(16430),
        Payload(PayloadType.CERTREQ, CertificateRequest(4, (b"h" * 20, b"i" * 20)).pack()),
        Payload(PayloadType.VENDOR_ID, b"vendor"),
    )
    chosen = read_response(answer(*payloads))
    assert isinstance(chosen, Chosen)
    assert chosen.proposal == AES256_SHA256_ECP256
    assert (chosen.nonce, chosen.vendor_ids) == (b"r" * 32, (b"vendor",))
    assert chosen.certificate_requests == (CertificateRequest(4, (b"h" * 20, b"i" * 20)),)
    for missing in range(3):
        with pytest.raises(ProtocolError):
            read_response(answer(*payloads[:missing], *payloads[missing + 1 : 3]))
    with pytest.raises(ProtocolError, match="nonce"):
        read_response(answer(*payloads[:2], Payload(PayloadType.NONCE, b"short")))


@pytest.mark.parametrize(
    "data",
    [
        answer(notify(16430)),  # says nothing
        answer(notify(17, b"\x13")),  # a group of one byte
        answer(notify(17, b"\x00\x13\x00")),
        answer(notify(16390)),  # empty cookie
        answer(notify(16390, bytes(65))),
        answer(Payload(200, b"", critical=True)),
        answer(*(notify(16430) for _ in range(129))),
        NO_PROPOSAL + b"\0",
        NO_PROPOSAL[:-1],
        NO_PROPOSAL[:16] + bytes.fromhex("29202220 00000000 ffffffff") + NO_PROPOSAL[28:],
        NO_PROPOSAL[:28] + bytes.fromhex("00000003 0000000e"),  # payload length below its header
        NO_PROPOSAL[:28] + bytes.fromhex("000000ff 0000000e"),
        answer(Payload(PayloadType.SA, SA_BYTES[:-1])),
        answer(Payload(PayloadType.SA, SA_BYTES + b"\0")),
        answer(Payload(PayloadType.SA, b"")),
        answer(Payload(PayloadType.SA, b"\x05" + SA_BYTES[1:])),
        answer(Payload(PayloadType.SA, SA_BYTES[:7] + b"\x05" + SA_BYTES[8:])),
        b"",
    ],
)
def test_malformed_answers(data):
    with pytest.raises(ProtocolError):
        read_response(data)


def test_whose_answer_it_is():
    assert is_response_to(SPI, 34, 0, NO_PROPOSAL)
    assert not is_response_to(b"other...", 34, 0, NO_PROPOSAL)
    assert not is_response_to(SPI, 35, 0, NO_PROPOSAL)
    assert not is_response_to(SPI, 34, 1, NO_PROPOSAL)
    assert not is_response_to(SPI, 34, 0, NO_PROPOSAL[:27])
    assert not is_response_to(SPI, 34, 0, SaInitRequest((), KeyExchange(19, b""), spi=SPI).pack())


def test_every_cut_of_an_answer_is_refused():
    for length in range(len(INVALID_KE)):
        with pytest.raises(ProtocolError):
            read_response(INVALID_KE[:length])


def test_payload_bodies():
    assert Eap.unpack(bytes.fromhex("0101000501")) == Eap(Eap.REQUEST, 1, 1)
    assert Eap(Eap.FAILURE, 9).pack() == bytes.fromhex("04090004")
    assert Eap.unpack(bytes.fromhex("04090004")) == Eap(Eap.FAILURE, 9)
    with pytest.raises(ProtocolError):
        Eap.unpack(bytes.fromhex("0101000601"))
    assert Identification.unpack(bytes.fromhex("02000000") + b"vpn") == Identification(2, b"vpn")
    assert Certificate.unpack(b"\x04der") == Certificate(4, b"der")
    assert CertificateRequest.unpack(b"\x0cwhatever") == CertificateRequest(12, ())
    with pytest.raises(ProtocolError):
        CertificateRequest.unpack(b"\x04" + bytes(21))
    both = pack_selectors(TrafficSelector("0.0.0.0", "255.255.255.255"), TrafficSelector("::", "::ffff"))
    ipv4 = "070000100000ffff00000000ffffffff"
    ipv6 = "080000280000ffff" + "00" * 16 + "00" * 14 + "ffff"
    assert both.hex() == "02000000" + ipv4 + ipv6


def test_nat_detection_hash_covers_everything():
    hashes = {
        nat_detection_hash(SPI, bytes(8), "192.0.2.1", 500),
        nat_detection_hash(SPI, SPI, "192.0.2.1", 500),
        nat_detection_hash(SPI, bytes(8), "192.0.2.2", 500),
        nat_detection_hash(SPI, bytes(8), "192.0.2.1", 4500),
        nat_detection_hash(SPI, bytes(8), "fe80::1%eth0", 500),
    }
    assert len(hashes) == 5
    assert all(len(item) == 20 for item in hashes)


transforms = st.builds(
    Transform,
    st.integers(0, 255),
    st.integers(0, 65535),
    st.one_of(st.none(), st.integers(0, 65535)),
)
proposals = st.builds(
    Proposal,
    st.integers(0, 255),
    st.integers(0, 255),
    st.lists(transforms, min_size=1, max_size=6).map(tuple),
    st.binary(max_size=8),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(proposals, min_size=1, max_size=5).map(tuple))
def test_proposals_round_trip(items):
    assert unpack_proposals(pack_proposals(items)) == items


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.builds(
            Payload,
            st.sampled_from((33, 34, 40, 41, 43, 200)),
            st.binary(max_size=40),
            critical=st.just(False),
            inner=st.just(0),
        ),
        min_size=1,
        max_size=6,
    ).map(tuple)
)
def test_payload_chains_round_trip(items):
    assert unpack_payloads(pack_payloads(items), items[0].type) == items


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_end_in_our_error_or_an_answer(data):
    for candidate in (data, NO_PROPOSAL[:24] + (28 + len(data)).to_bytes(4, "big") + data):
        try:
            read_response(candidate)
        except ProtocolError:
            pass


def scapy_ikev2():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scapy's own, on import
        return pytest.importorskip("scapy.contrib.ikev2")


def test_scapy_reads_what_we_write_and_we_read_what_scapy_writes():
    ikev2 = scapy_ikev2()
    request = SaInitRequest(
        (AES256_SHA256_ECP256, esp_proposal(2, b"spi!", Transform(1, 20, 128))),
        KeyExchange(19, bytes(range(64))),
        (Notify(16388, b"h" * 20), Notify(16430)),
        spi=SPI,
        nonce=b"n" * 20,
    )
    packet = ikev2.IKEv2(request.pack())
    assert packet.init_SPI == SPI
    assert packet[ikev2.IKEv2_KE].group == 19
    assert packet[ikev2.IKEv2_KE].ke == bytes(range(64))
    assert packet[ikev2.IKEv2_Nonce].nonce == b"n" * 20
    assert packet[ikev2.IKEv2_Transform].transform_id == 12
    assert packet[ikev2.IKEv2_Transform].key_length == 256
    assert packet[ikev2.IKEv2_Notify].type == 16388

    theirs = (
        ikev2.IKEv2(init_SPI=SPI, exch_type=34, flags="Response", next_payload=33)
        / ikev2.IKEv2_SA(
            next_payload=34,
            prop=ikev2.IKEv2_Proposal(
                trans_nb=4,
                trans=ikev2.IKEv2_Transform(transform_type=1, transform_id=12, key_length=256, length=12)
                / ikev2.IKEv2_Transform(transform_type=2, transform_id=5)
                / ikev2.IKEv2_Transform(transform_type=3, transform_id=12)
                / ikev2.IKEv2_Transform(transform_type=4, transform_id=19),
            ),
        )
        / ikev2.IKEv2_KE(next_payload=40, group=19, ke=bytes(64))
        / ikev2.IKEv2_Nonce(next_payload=0, nonce=b"r" * 32)
    )
    chosen = read_response(bytes(theirs))
    assert isinstance(chosen, Chosen)
    assert chosen.proposal == AES256_SHA256_ECP256
    assert chosen.nonce == b"r" * 32


def test_header_round_trip():
    header = Header(SPI, bytes(8), 33, 34, 8, 7, 28)
    assert Header.unpack(header.pack()) == header
