"""SSTP packets: the bytes that real servers exchanged, both ways, and damaged ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkitools.errors import ProtocolError
from pkitools.protocol import sstp

REQUEST = bytes.fromhex("1001000e 0001 0001 0001 0006 0001")
ACK = bytes.fromhex("10010030 0002 0001 0004 0028 000000 03") + bytes(range(32))
ABORT = bytes.fromhex("10010014 0005 0001 0002 000c 000000 00 00000000")


def test_the_call_connect_request_is_what_windows_sends():
    assert sstp.call_connect_request().pack() == REQUEST


def test_the_abort_is_what_servers_answer_to():
    assert sstp.call_abort(sstp.StatusInfo(0, 0)).pack() == ABORT


def test_an_acknowledge_is_read_and_written():
    packet = sstp.ControlPacket.unpack(ACK)
    assert packet.message_type == sstp.MessageType.SSTP_MSG_CALL_CONNECT_ACK
    binding = sstp.CryptoBindingRequest.unpack(packet.attribute(4))
    assert binding.hash_protocols == 3
    assert binding.nonce == bytes(range(32))
    assert sstp.call_connect_ack(3, bytes(range(32))).pack() == ACK


def test_a_nak_names_its_status():
    value = sstp.StatusInfo(1, 4, b"\x00\x02")
    packet = sstp.ControlPacket(3, (sstp.Attribute(2, value.pack()),))
    read = sstp.ControlPacket.unpack(packet.pack())
    status = sstp.StatusInfo.unpack(read.attribute(2))
    assert status == value
    assert status.name == "ATTRIB_STATUS_VALUE_NOT_SUPPORTED"
    assert sstp.StatusInfo(1, 99).name == "0x00000063"


@pytest.mark.parametrize(
    "data",
    [
        bytes.fromhex("10010000"),  # length 0
        bytes.fromhex("10010007 0001 00"),
        bytes.fromhex("11010008 0001 0000"),  # version 1.1
        bytes.fromhex("10000008 0001 0000"),  # data
        bytes.fromhex("10010009 0001 0000 00"),  # a byte too many
        bytes.fromhex("10010008 0001 0001"),  # attribute missing
        bytes.fromhex("1001000c 0001 0001 0001 0000"),  # attribute of length 0
        bytes.fromhex("1001000c 0001 0001 0001 00ff"),  # attribute beyond the packet
        b"\x10",
        b"",
    ],
)
def test_malformed_packets_are_typed_errors(data):
    with pytest.raises(ProtocolError):
        sstp.ControlPacket.unpack(data)


@pytest.mark.parametrize("cut", range(len(ACK)))
def test_every_truncation_is_refused(cut):
    with pytest.raises(ProtocolError):
        sstp.ControlPacket.unpack(ACK[:cut])


@given(st.binary(max_size=80))
def test_no_other_error_leaves_the_parser(data):
    try:
        packet = sstp.ControlPacket.unpack(data)
    except ProtocolError:
        return
    assert len(packet.pack()) == len(data)


@given(st.integers(0, 0xFFFF), st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=60)), max_size=8))
def test_a_packet_survives_the_round_trip(kind, attributes):
    packet = sstp.ControlPacket(kind, tuple(sstp.Attribute(number, value) for number, value in attributes))
    assert sstp.ControlPacket.unpack(packet.pack()) == packet


def test_a_packet_over_4095_bytes_is_not_built():
    with pytest.raises(ValueError, match="4095"):
        sstp.ControlPacket(1, (sstp.Attribute(1, bytes(4095)),)).pack()


@pytest.mark.parametrize("value", [b"", bytes(35), bytes(37)])
def test_a_crypto_binding_request_has_36_bytes(value):
    with pytest.raises(ProtocolError):
        sstp.CryptoBindingRequest.unpack(value)
