from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkitools.errors import ProtocolError
from pkitools.protocol.dcom import (
    activation,
    ca_property,
    endpoint_mapper,
    icertadmin,
    icertrequest,
    ids,
    orpc,
    pdu,
    svcctl,
)
from pkitools.protocol.dcom.ndr import NdrReader, NdrWriter
from pkitools.protocol.dcom.object_exporter import ServerAlive2

THAT = bytes(8)


def test_create_instance_has_the_layout_of_the_specification():
    stub = activation.pack_remote_create_instance(ids.CLSID_CERT_REQUEST_D, ids.ICERT_REQUEST_D2.uuid)
    assert len(stub) == 464
    assert stub[:4] == b"\x05\x00\x07\x00"
    assert stub[0x24:0x30].hex() == "00000200a0010000a0010000"
    assert stub[0x30:0x38] == b"MEOW\x04\x00\x00\x00"
    assert stub[0x38:0x48] == ids.IID_ACTIVATION_PROPERTIES_IN.bytes_le
    assert stub[0x60:0x68].hex() == "6801000000000000"
    assert stub[0x68:0x78].hex() == "01100800cccccccc8800000000000000"
    assert stub[0x78:0x88].hex() == "68010000980000000000000002000000"
    assert stub[0xEC:0x100].hex() == "0400000058000000280000002000000030000000"
    assert stub[0x110:0x120] == ids.CLSID_CERT_REQUEST_D.bytes_le
    assert stub[0x144:0x154] == ids.ICERT_REQUEST_D2.uuid.bytes_le
    assert stub[0x158:0x180].hex() == "01100800cccccccc1800000000000000" + "00" * 24
    assert stub[0x1B0:0x1D0].hex() == "0000000000000200020000000100000004000200010000000700000000000000"


def windows_pdus(corpus: Path) -> dict[str, bytes]:
    rows = [line.split("\t") for line in (corpus / "windows-dcerpc-pdus.tsv").read_text("ascii").splitlines()]
    return {row[0]: bytes.fromhex(row[2]) for row in rows if len(row) == 3 and not row[0].startswith(("#", "name"))}


@pytest.mark.corpus
def test_windows_own_activation_reply_is_read(corpus: Path):
    reply = pdu.unpack_pdu(windows_pdus(corpus)["A11-response"])
    iid = UUID("f309ad18-d86a-11d0-a075-00c04fb68820")
    result = activation.unpack_remote_create_instance(reply.body[8:], iid)
    assert result.hresult == 0
    assert result.activation is not None
    assert result.activation.bindings.tcp_port() == 49718
    assert result.activation.authn_hint == 4
    assert result.activation.objref.public_refs == 5
    assert result.activation.oxid == result.activation.objref.oxid
    assert [item.service for item in result.activation.objref.resolver.security] == [
        9,
        0x1E,
        0x10,
        0xA,
        0x16,
        0x1F,
        0xE,
    ]


@pytest.mark.corpus
def test_windows_own_acks_are_read(corpus: Path):
    pdus = windows_pdus(corpus)
    ack = pdu.BindAck.unpack(pdu.unpack_pdu(pdus["A7-bind_ack"]).body)
    assert [item.result for item in ack.results] == [0, 3]
    assert ack.secondary_address == "135"
    three = pdu.BindAck.unpack(pdu.unpack_pdu(pdus["B3-bind_ack"]).body)
    assert [item.result for item in three.results] == [0, 2, 3]
    assert pdu.BindAck.unpack(pdu.unpack_pdu(pdus["B5-alter_context_resp"]).body).secondary_address == ""


@pytest.mark.corpus
def test_what_windows_sent_is_packed_again_byte_for_byte(corpus: Path):
    for raw in windows_pdus(corpus).values():
        assert pdu.unpack_pdu(raw).pack() == raw


@pytest.mark.corpus
def test_every_truncation_of_windows_reply_is_an_error(corpus: Path):
    stub = pdu.unpack_pdu(windows_pdus(corpus)["A11-response"]).body[8:]
    iid = UUID("f309ad18-d86a-11d0-a075-00c04fb68820")
    for size in range(len(stub)):
        with pytest.raises(ProtocolError):
            activation.unpack_remote_create_instance(stub[:size], iid)


def test_failed_activation_is_sixteen_octets():
    stub = THAT + bytes(4) + (0x80040154).to_bytes(4, "little")
    result = activation.unpack_remote_create_instance(stub, ids.ICERT_REQUEST_D2.uuid)
    assert result == activation.ActivationResult(0x80040154, None)


def test_success_without_an_object_is_not_believed():
    with pytest.raises(ProtocolError, match="success without properties"):
        activation.unpack_remote_create_instance(THAT + bytes(8), ids.ICERT_REQUEST_D2.uuid)


def test_strings_have_three_counts_and_a_terminator():
    data = NdrWriter().unique_wide_string("Zoë").pack()
    assert data.hex() == "00000200" + "04000000" + "00000000" + "04000000" + "5a006f00eb000000"
    assert NdrReader(data).unique_wide_string() == "Zoë"


def test_referents_are_distinct():
    data = NdrWriter().unique_wide_string("a").align(4).unique_wide_string("b").pack()
    assert data[:4] == b"\x00\x00\x02\x00"
    assert data[20:24] == b"\x04\x00\x02\x00"


@pytest.mark.parametrize(
    ("text", "port"),
    [
        ("CA1[49718]", 49718),
        ("CA1", None),
        ("[1]", 1),
        ("CA[0]", None),
        ("CA[65536]", None),
        ("CA[12x]", None),
        ("CA[1", None),
    ],
)
def test_port_of_a_binding(text: str, port: int | None) -> None:
    assert orpc.StringBinding(7, text).port == port


def blob_reply(data: bytes, hresult: int = 0) -> bytes:
    writer = NdrWriter().raw(THAT).u32(len(data))
    if data:
        writer.referent().u32(len(data)).raw(data).align(4)
    else:
        writer.null()
    return writer.u32(hresult).pack()


def test_blob_and_text():
    value = "10.0.20348 \x00".encode("utf-16-le")
    assert icertrequest.unpack_blob(blob_reply(value), "x") == (0, value)
    assert icertrequest.text_of(value) == "10.0.20348 "
    assert icertrequest.unpack_blob(blob_reply(b""), "x") == (0, b"")
    assert icertrequest.unpack_blob(blob_reply(b"junk", 0x80070005), "x") == (0x80070005, b"")


def test_lying_counts_are_errors_before_memory_is_taken():
    lying = (
        THAT + (0x7FFFFFFF).to_bytes(4, "little") + b"\x00\x00\x02\x00" + (0x7FFFFFFF).to_bytes(4, "little") + bytes(4)
    )
    with pytest.raises(ProtocolError, match="announced"):
        icertrequest.unpack_blob(lying, "x")


def test_templates():
    text = "User\n1.2.3\nWeb/Ünicode \n\nLast\n\n\x00"
    found = ca_property.unpack_templates(text.encode("utf-16-le"))
    assert [(item.name, item.oid) for item in found] == [("User", "1.2.3"), ("Web/Ünicode ", ""), ("Last", "")]
    assert ca_property.unpack_templates(b"\x00\x00") == ()
    many = "".join(f"T{n}\n1.{n}\n" for n in range(1000)) + "\x00"
    assert len(ca_property.unpack_templates(many.encode("utf-16-le"))) == 1000
    with pytest.raises(ProtocolError):
        ca_property.unpack_templates("A\n".encode("utf-16-le"))


def test_cainfo():
    data = b"".join(value.to_bytes(4, "little") for value in (40, 1, 2, 0, 3, 50, 0, 0, 0, 1))
    info = ca_property.CaInfo.unpack(data)
    assert (info.ca_type, info.signature_certificates, info.highest_property) == (1, 2, 50)
    with pytest.raises(ProtocolError):
        ca_property.CaInfo.unpack(data[:-4])


def test_config_entry_values():
    head = NdrWriter().raw(THAT).referent().align(8)
    long = head.u32(3).u32(0).u16(3).raw(bytes(6)).u32(3).u32(641).u32(0).pack()
    assert icertadmin.unpack_get_config_entry(long) == (0, 641)
    writer = NdrWriter().raw(THAT).referent().align(8).u32(5).u32(0).u16(8).raw(bytes(6)).u32(8).referent()
    text = writer.u32(2).u32(4).u32(2).raw("CA".encode("utf-16-le")).u32(0).pack()
    assert icertadmin.unpack_get_config_entry(text) == (0, "CA")


def test_endpoint_map_asks_for_the_interface_over_tcp():
    stub = endpoint_mapper.pack_ept_map(ids.ICERT_PASSAGE)
    assert ids.ICERT_PASSAGE.uuid.bytes_le in stub
    not_registered = bytes(20) + bytes(4) + (4).to_bytes(4, "little") + bytes(8) + (0x16C9A0D6).to_bytes(4, "little")
    assert endpoint_mapper.unpack_ept_map(not_registered) == (0x16C9A0D6, ())


def test_service_status():
    stub = b"".join(value.to_bytes(4, "little") for value in (0x10, 4, 5, 0, 0, 0, 0, 0))
    assert svcctl.unpack_query_service_status(stub) == (0, svcctl.ServiceStatus(4, 0))


READERS = (
    lambda data: activation.unpack_remote_create_instance(data, ids.ICERT_REQUEST_D2.uuid),
    lambda data: activation.unpack_remote_activation(data, ids.ICERT_REQUEST_D2.uuid),
    lambda data: icertrequest.unpack_blob(data, "x"),
    icertadmin.unpack_get_config_entry,
    icertadmin.unpack_get_my_roles,
    endpoint_mapper.unpack_ept_map,
    ServerAlive2.unpack,
    svcctl.unpack_query_service_status,
    pdu.unpack_pdu,
    pdu.BindAck.unpack,
    pdu.unpack_bind_nak,
    pdu.unpack_fault,
    ca_property.unpack_templates,
    ca_property.CaInfo.unpack,
    orpc.StandardObjref.unpack,
)


@given(st.binary(max_size=600), st.sampled_from(range(len(READERS))))
def test_any_bytes_give_an_answer_or_our_error(data: bytes, index: int) -> None:
    try:
        READERS[index](data)
    except ProtocolError:
        pass
