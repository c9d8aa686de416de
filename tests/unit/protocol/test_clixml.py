"""CLIXML: what PowerShell writes, other documents that the format allows, and hostile ones."""

import json
import subprocess
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pkitools.errors import FormatError
from pkitools.protocol.clixml import PsObject, looks_like_clixml, read_clixml, text_of

NS = 'Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04"'


def objs(body: str) -> str:
    return f"<Objs {NS}>{body}</Objs>"


POLICY = objs(
    '<Obj RefId="0"><TN RefId="0"><T>Deserialized.Microsoft.Management.Infrastructure.CimInstance</T>'
    "<T>System.Object</T></TN><ToString>VpnConnectionIPsecConfiguration</ToString>"
    '<Props><U32 N="EncryptionMethod">4</U32><S N="Büro 😀">x</S></Props>'
    '<MS><Obj N="DHGroup" RefId="1"><TN RefId="1"><T>DHGroup</T><T>System.Enum</T></TN>'
    "<ToString>Group14</ToString><I32>3</I32></Obj></MS></Obj>"
    '<Obj RefId="2"><TNRef RefId="0"/><MS><Ref N="Twin" RefId="0"/></MS></Obj>'
)


def test_an_object_with_adapted_and_extended_properties_an_enum_and_references():
    first, second = read_clixml(POLICY)
    assert first.type_names == ("Microsoft.Management.Infrastructure.CimInstance", "System.Object")
    assert first.get("encryptionmethod") == 4
    assert first.properties["Büro 😀"] == "x"
    assert (text_of(first.get("DHGroup")), first.get("DHGroup").value) == ("Group14", 3)
    assert second.type_names == first.type_names
    assert second.get("Twin") is first


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text.encode("utf-8"),
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.encode("utf-16"),
        lambda text: text.encode("utf-16-le"),
        lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
        lambda text: ('<?xml version="1.0" encoding="utf-16"?>\r\n' + text).encode("utf-16"),
        lambda text: ("#< CLIXML\r\n" + text).encode(),
    ],
)
def test_every_encoding_that_powershell_writes(encode):
    assert read_clixml(encode(POLICY))[0].properties["Büro 😀"] == "x"


@pytest.mark.parametrize(
    ("xml", "value"),
    [
        ("<S>a_x000A_b</S>", "a\nb"),
        ("<S>_xD83D__xDE00_</S>", "😀"),
        ("<S>_xD83D_</S>", "\ufffd"),
        ("<S>_x005F_x0041_</S>", "_x0041_"),
        ("<B>true</B>", True),
        ("<By>255</By>", 255),
        ("<I64>-9223372036854775808</I64>", -(2**63)),
        ("<U64>18446744073709551615</U64>", 2**64 - 1),
        ("<Db>INF</Db>", float("inf")),
        ("<D>1.10</D>", Decimal("1.10")),
        ("<C>97</C>", "a"),
        ("<G>00112233-4455-6677-8899-aabbccddeeff</G>", UUID("00112233-4455-6677-8899-aabbccddeeff")),
        ("<DT>2026-11-25T09:30:00.1234567+01:00</DT>", datetime(2026, 11, 25, 8, 30, 0, 123456, UTC)),
        ("<DT>2026-11-25T09:30:00Z</DT>", datetime(2026, 11, 25, 9, 30, tzinfo=UTC)),
        ("<DT>2026-11-25T09:30:00</DT>", datetime(2026, 11, 25, 9, 30)),
        ("<TS>-P1DT2H3M4.5S</TS>", -timedelta(days=1, hours=2, minutes=3, seconds=4.5)),
        ("<BA>AAEC\nAw==</BA>", b"\0\1\2\3"),
        ("<Version>5.1</Version>", "5.1"),
        ("<Nil />", None),
        ("<LST><I32>1</I32><S>b</S></LST>", (1, "b")),
        ('<DCT><En><S N="Key">k</S><I32 N="Value">1</I32></En></DCT>', {"k": 1}),
    ],
)
def test_values(xml, value):
    assert read_clixml(objs(xml)) == (value,)


def test_the_stream_form_has_one_document_per_line():
    text = f"#< CLIXML\n{objs('<S>a</S>')}\n{objs('<S>b</S><S>c</S>')}\n"
    assert read_clixml(text) == ("a", "b", "c")
    assert looks_like_clixml(text)
    assert not looks_like_clixml("<VPNProfile/>")


def test_an_object_may_refer_to_itself():
    (found,) = read_clixml(objs('<Obj RefId="0"><MS><Ref N="Me" RefId="0"/></MS></Obj>'))
    assert found.get("me") is found


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ('<!DOCTYPE Objs [<!ENTITY a "b">]>' + objs("<S>&a;</S>"), "DTD"),
        (objs("<S>&a;</S>"), "well-formed"),
        (objs("<S>a"), "well-formed"),
        (objs("<X>a</X>"), "not known"),
        (objs('<Ref RefId="9"/>'), "nowhere"),
        (objs('<Obj><TNRef RefId="9"/></Obj>'), "nowhere"),
        (objs("<I32>2147483648</I32>"), "no such value"),
        (objs("<I32>1_0</I32>"), "no such value"),
        (objs("<BA>A</BA>"), "no such value"),
        (objs("<DT>2026-13-25T09:30:00Z</DT>"), "no such value"),
        (objs("<DT>0001-01-01T00:00:00+14:00</DT>"), "no such value"),
        (objs("<TS>P999999999DT999999999H</TS>"), "no such value"),
        (objs("<S><S/></S>"), "text only"),
        (objs('<Obj><MS><S N="">a</S></MS></Obj>'), "no name"),
        (objs('<DCT><En><Nil N="Key"/><I32 N="Value">1</I32></En></DCT>'), "dictionary"),
        (objs("<LST>" * 5000 + "</LST>" * 5000), "deep"),
        ("<Other/>", "root element"),
        (f'<Objs Version="2.0">{"<S/>"}</Objs>', "version"),
        ("", "well-formed"),
    ],
)
def test_hostile_documents_are_format_errors(text, word):
    with pytest.raises(FormatError) as caught:
        read_clixml(text)
    assert word in str(caught.value)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(POLICY) - 1), st.binary(max_size=4), st.integers(0, 40))
def test_a_mutated_document_reads_or_is_a_format_error(position, bytes_in, cut):
    data = POLICY.encode()
    mutated = data[:position] + bytes_in + data[position + cut :]
    try:
        read_clixml(mutated)
    except FormatError:
        pass


@pytest.mark.parametrize(
    ("key", "read"),
    [
        ('<LST N="Key"><Obj RefId="1"/></LST>', "System.Object[]"),
        ('<D N="Key">sNaN</D>', "sNaN"),
        ('<Obj N="Key" RefId="1"><Ref RefId="1"/></Obj>', ""),
        ('<I32 N="Key">7</I32>', 7),
    ],
)
def test_any_key_of_a_dictionary_can_be_read(key, read):
    (found,) = read_clixml(f'<Objs><Obj RefId="0"><DCT><En>{key}<S N="Value">x</S></En></DCT></Obj></Objs>')
    assert found.value == {read: "x"}


def references(level: int) -> str:
    return f'<Ref RefId="{level}"/>' * 2


def test_the_text_of_an_object_that_wraps_itself_or_doubles_at_every_level_is_short():
    (itself,) = read_clixml('<Objs><Obj RefId="0"><Ref RefId="0"/></Obj></Objs>')
    assert text_of(itself) == ""
    levels = "".join(
        f'<Obj RefId="{level}"><LST>{references(level - 1) if level else ""}</LST></Obj>' for level in range(60)
    )
    assert text_of(read_clixml(f"<Objs>{levels}</Objs>")[-1]) == "System.Object[]"


@pytest.mark.pwsh
@pytest.mark.parametrize("encoding", ["utf8", "unicode", "utf8BOM"])
def test_what_powershell_exports_is_read(pwsh, tmp_path, encoding):
    path = tmp_path / "x.xml"
    script = (
        "$t=[System.TimeSpan]::FromSeconds(1.5); $h=[ordered]@{a=1;b=@(1,'two',$null)};"
        "$o=[pscustomobject]@{Name='Büro 😀';"
        "When=[datetime]::new(2026,11,25,9,30,0,[System.DateTimeKind]::Utc);Span=$t;Table=$h;"
        "Day=[System.DayOfWeek]::Friday;Bytes=[byte[]](1,2);Id=[guid]'00112233-4455-6677-8899-aabbccddeeff';"
        "Line=\"a`r`nb\";Big=[decimal]1.10;Uri=[uri]'https://x/';V=[version]'1.2.3';C=[char]'x';N=$null;F=1.5e300};"
        f"$o, $o, 'text' | Export-Clixml -Encoding {encoding} -Path '{path}'; $o | ConvertTo-Json -Compress"
    )
    done = subprocess.run([pwsh, "-NoProfile", "-NonInteractive", "-Command", script], capture_output=True, check=True)
    assert json.loads(done.stdout)["Name"] == "Büro 😀"
    first, second, text = read_clixml(path.read_bytes())
    assert text == "text"
    assert second is first
    assert isinstance(first, PsObject)
    assert first.get("Name") == "Büro 😀"
    assert first.get("When") == datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
    assert first.get("Span") == timedelta(seconds=1.5)
    assert first.get("Table").value["b"].value == (1, "two", None)
    assert text_of(first.get("Day")) == "Friday" and first.get("Day").value == 5
    assert first.get("Bytes") == b"\1\2"
    assert first.get("Line") == "a\r\nb"
    assert (first.get("Big"), first.get("Uri"), first.get("V"), first.get("C")) == (
        Decimal("1.10"),
        "https://x/",
        "1.2.3",
        "x",
    )
    assert first.get("N") is None
    assert first.get("F") == 1.5e300
