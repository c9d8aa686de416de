"""The line editor: only the bytes of the value change. Each fault of the scripts in use has a test."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pkitools.aovpn.phonebook import MAIN_KEYS, Phonebook, joined_hex
from pkitools.errors import FormatError, InputError, PkiToolsError
from tests.unit.aovpn.phonebooks import BOOK, entry, main_lines


def edited(data: bytes, name: str, **values: str) -> bytes:
    book = Phonebook(data)
    book.edit([book.sections.index(book.select(name))], values)
    return book.to_bytes()


def test_one_value_of_one_entry_is_one_byte():
    """Update-Rasphone wrote ASCII and bare LF: another entry's name was damaged, five line ends were."""
    data = BOOK.encode()
    result = edited(data, "Always On VPN [Test]", IpInterfaceMetric="3")
    assert len(result) == len(data)
    assert [(a, b) for a, b in zip(data, result, strict=True) if a != b] == [(ord("0"), ord("3"))]
    assert "[Büro VPN 😀]\r\n".encode() in result


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text.encode("utf-8"),
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.encode("utf-16"),
        lambda text: text.encode("utf-16-be"),
        lambda text: text.replace("😀", "").encode("cp1252"),
        lambda text: text.replace("\r\n", "\n").encode(),
        lambda text: text.rstrip("\r\n").encode(),
        lambda text: ("\r\n; left by somebody\r\n" + text).encode(),
    ],
    ids=["utf8", "utf8-bom", "utf16-bom", "utf16-be", "ansi", "lf", "no-last-end", "text-before"],
)
def test_every_encoding_and_line_end_stays(encode):
    data = encode(BOOK)
    book = Phonebook(data)
    assert book.to_bytes() == data
    assert [section.name for section in book.sections][1:] == ["Always On VPN [Test]", "Zoë"]
    back = edited(edited(data, "Zoë", IpInterfaceMetric="3"), "Zoë", IpInterfaceMetric="0")
    assert back == data


def test_an_absent_key_is_inserted_where_windows_writes_it():
    """Update-Rasphone only warned and exited 0; the Intune script remediated for ever."""
    lines = [line for line in main_lines() if not line.startswith(("IpInterfaceMetric", "Ipv6InterfaceMetric"))]
    data = (entry("Zoë", *lines) + entry("other")).encode()
    result = edited(data, "Zoë", Ipv6InterfaceMetric="3", IpInterfaceMetric="3").decode()
    keys = [line.partition("=")[0] for line in result.split("\r\n")]
    assert keys[keys.index("IpInterfaceMetric") - 1] == "IpPrioritizeRemote"
    assert keys[keys.index("Ipv6InterfaceMetric") - 1] == "IpDnsFlags"
    assert result.replace("IpInterfaceMetric=3\r\n", "", 1).replace("Ipv6InterfaceMetric=3\r\n", "", 1) == data.decode()
    assert edited(result.encode(), "Zoë", Ipv6InterfaceMetric="3", IpInterfaceMetric="3") == result.encode()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("[x]", "[x]\r\nIpInterfaceMetric=3"),
        ("[x]\n", "[x]\nIpInterfaceMetric=3\n"),
        ("[x]\r\nMEDIA=rastapi\r\n", "[x]\r\nIpInterfaceMetric=3\r\nMEDIA=rastapi\r\n"),
        ("[x]\r\nManagementApp=\r\n", "[x]\r\nIpInterfaceMetric=3\r\nManagementApp=\r\n"),
        ("[x]\r\nEncoding=1", "[x]\r\nEncoding=1\r\nIpInterfaceMetric=3"),
        (
            "[x]\r\nCustomAuthData=00\r\nCustomAuthData=01\r\n\r\n",
            "[x]\r\nCustomAuthData=00\r\nCustomAuthData=01\r\nIpInterfaceMetric=3\r\n\r\n",
        ),
    ],
)
def test_insertion_into_entries_with_hardly_a_key(text, wanted):
    assert edited(text.encode(), "x", IpInterfaceMetric="3").decode() == wanted


def test_text_before_the_first_entry_does_not_shift_the_names():
    book = Phonebook(b"\r\n\r\n" + BOOK.encode())
    assert book.select("Zoë").name == "Zoë"


def test_brackets_in_a_value_make_no_entry():
    book = Phonebook(BOOK.encode())
    assert len(book.sections) == 3
    assert book.device_values(book.select("Zoë"), "PhoneNumber") == ["[2001:db8::1]"]


def test_names_are_told_apart_by_case_first_and_two_alike_are_an_error():
    """Update-Rasphone compared without case and threw on two alike."""
    book = Phonebook((entry("VPN") + entry("vpn")).encode())
    assert book.select("vpn") is book.sections[1]
    with pytest.raises(InputError, match="2 entries"):
        book.select("Vpn")
    assert Phonebook(BOOK.encode()).select("zoË").name == "Zoë"
    with pytest.raises(InputError) as caught:
        book.select("none")
    assert "'VPN'" in caught.value.hint


def test_editing_every_entry_touches_each_once():
    book = Phonebook(BOOK.encode())
    changes = book.edit(range(3), {"IpInterfaceMetric": "3", "DeviceTunnel": "1"})
    assert [change.entry for change in changes] == ["Büro VPN 😀"] * 2 + ["Always On VPN [Test]"] * 2 + ["Zoë"] * 2
    assert [change.before for change in changes] == ["0", None] * 3
    assert book.to_bytes().count(b"IpInterfaceMetric=3\r\n") == 3
    assert all(book.values(section, "DeviceTunnel") == ["1"] for section in book.sections)


def test_a_key_that_stands_twice_gets_the_value_twice():
    data = entry("x", "IpInterfaceMetric=0", "IpInterfaceMetric=7", "NumEku=0").encode()
    assert edited(data, "x", IpInterfaceMetric="3").count(b"IpInterfaceMetric=3\r\n") == 2


def test_keys_of_device_groups_are_left_alone():
    data = entry("x", "PBVersion=8").replace("AreaCode=", "IpInterfaceMetric=9").encode()
    result = edited(data, "x", IpInterfaceMetric="3")
    assert b"IpInterfaceMetric=9\r\n" in result
    assert b"PBVersion=8\r\nIpInterfaceMetric=3\r\n" in result


def test_wrapped_hex_is_joined():
    assert joined_hex(["00ff", "10"]) == b"\x00\xff\x10"
    assert joined_hex(["00 ff"]) is None
    assert joined_hex(["0g"]) is None


@pytest.mark.parametrize("data", [b"", b"no entry here", b"[not closed\r\n", b"x" * 100])
def test_a_file_without_entry_is_no_phonebook(data):
    with pytest.raises(FormatError):
        Phonebook(data)


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=200), st.integers(0, 400), st.sampled_from(["IpInterfaceMetric", "VpnStrategy", "DeviceTunnel"])
)
def test_broken_phonebooks_come_back_byte_for_byte(noise, at, key):
    data = BOOK.encode()
    data = data[:at] + noise + data[at:]
    try:
        book = Phonebook(data)
    except PkiToolsError:
        return
    assert book.to_bytes() == data
    book.edit(range(len(book.sections)), {key: "3"})
    again = Phonebook(book.to_bytes())
    assert again.edit(range(len(again.sections)), {key: "3"}) == [
        change for change in again.edit(range(len(again.sections)), {key: "3"}) if not change.changed
    ]


@pytest.mark.corpus
@pytest.mark.parametrize("name", ["always-on-vpn-pbversion8.pbk", "zh-cn-pbversion1-and-5.pbk"])
def test_phonebooks_of_real_windows_stay_but_for_the_value(corpus, name):
    data = (corpus / "rasphone" / name).read_bytes()
    assert Phonebook(data).to_bytes() == data
    for index, section in enumerate(Phonebook(data).sections):
        for key in MAIN_KEYS:
            book = Phonebook(data)
            old = book.values(section, key)
            if len(old) != 1:
                continue
            book.edit([index], {key: "1234567"})
            new = book.to_bytes()
            line = f"{key}={old[0]}\r\n".encode()
            changed = f"{key}=1234567\r\n".encode()
            assert new.replace(changed, line) == data
            book.edit([index], {key: old[0]})
            assert book.to_bytes() == data


@pytest.mark.corpus
@pytest.mark.parametrize("name", ["always-on-vpn-pbversion8.pbk", "zh-cn-pbversion1-and-5.pbk"])
def test_a_key_taken_out_of_a_real_phonebook_is_put_back_where_it_was(corpus, name):
    data = (corpus / "rasphone" / name).read_bytes()
    lines = data.split(b"\r\n")
    for place, line in enumerate(lines):
        key = line.partition(b"=")[0].decode("utf-8")
        if key not in MAIN_KEYS or lines[place - 1].startswith(line.partition(b"=")[0] + b"=") or b"=" not in line:
            continue
        if place + 1 < len(lines) and lines[place + 1].startswith(line.partition(b"=")[0] + b"="):
            continue
        book = Phonebook(b"\r\n".join(lines[:place] + lines[place + 1 :]))
        index = max(at for at, section in enumerate(book.sections) if section.start < place)
        if place > book.sections[index].main_end:
            continue
        book.edit([index], {key: line.partition(b"=")[2].decode()})
        assert book.to_bytes() == data, key


def test_a_key_with_blanks_around_it_is_still_the_key():
    data = b"[x]\r\n IpInterfaceMetric = 0\r\nNumEku=0\r\n"
    assert edited(data, "x", IpInterfaceMetric="3") == b"[x]\r\n IpInterfaceMetric =3\r\nNumEku=0\r\n"
