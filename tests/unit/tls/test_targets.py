"""Every form of a target, and every way to get it wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkitools.errors import InputError
from pkitools.tls.targets import parse_target, read_target_lines


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("vpn.example.com", "vpn.example.com", 443),
        (" VPN.Example.COM. ", "vpn.example.com", 443),
        ("vpn.example.com:8443", "vpn.example.com", 8443),
        ("https://vpn.example.com", "vpn.example.com", 443),
        ("https://vpn.example.com:444/sra_{x}/?a#b", "vpn.example.com", 444),
        ("HTTPS://vpn.example.com?x", "vpn.example.com", 443),
        ("192.0.2.1", "192.0.2.1", 443),
        ("192.0.2.1:1", "192.0.2.1", 1),
        ("2001:DB8::1", "2001:db8::1", 443),
        ("[2001:db8::1]", "2001:db8::1", 443),
        ("[2001:db8::1]:65535", "2001:db8::1", 65535),
        ("https://[::1]:4433/", "::1", 4433),
        ("vpn.bücher.example", "vpn.xn--bcher-kva.example", 443),
        ("straße.example", "xn--strae-oqa.example", 443),
        ("i❤.ws:8443", "xn--i-7iq.ws", 8443),
        ("xn--bcher-kva.example", "xn--bcher-kva.example", 443),
        ("srv_01.example.com", "srv_01.example.com", 443),
        ("localhost", "localhost", 443),
        ("a" * 63 + ".example", "a" * 63 + ".example", 443),
    ],
)
def test_a_target_in_every_form(text, host, port):
    target = parse_target(text)
    assert (target.host, target.port, target.text) == (host, port, text.strip())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        ":443",
        "vpn..example.com",
        ".example.com",
        "a" * 64 + ".example.com",
        ".".join(["a" * 60] * 5),
        "vpn\0.example.com",
        "vpn example.com",
        "vpn.example.com:0",
        "vpn.example.com:65536",
        "vpn.example.com:https",
        "vpn.example.com:",
        "vpn.example.com:٤٤٣",
        "[vpn.example.com]",
        "[::1",
        "::1]",
        "[::1]x",
        "[::1]:",
        "[192.0.2.1]:443",
        "::1::2:443",
        "2001:db8::1:2:3:4:5:6:7:443",
        "http://vpn.example.com",
        "ldap://dc.example.com",
        "https://user@vpn.example.com",
        "https://",
        "-vpn.example.com",
        "vpn-.example.com",
        "1.2.3",
        "999.1.1.1",
        "vpn.example.com\r\nX: y",
        "\U0001f600\u202e.example" + "x" * 60,
        "*.example.com",
    ],
)
def test_a_bad_target_is_an_input_error(text):
    with pytest.raises(InputError) as caught:
        parse_target(text)
    assert caught.value.error_id == "InvalidTarget"
    assert caught.value.hint


@given(st.text(max_size=80))
def test_no_other_error_leaves_the_parser(text):
    try:
        target = parse_target(text)
    except InputError:
        return
    assert target.host.isascii()
    assert 1 <= target.port <= 65535


def test_lines_keep_their_numbers():
    text = "a.example\n# comment\n\n  b.example:8443  # behind\r\nc d\n"
    assert read_target_lines(text) == [(1, "a.example"), (4, "b.example:8443"), (5, "c d")]


def test_an_address_in_the_forms_that_http_wants():
    assert parse_target("[::1]:8443").authority == "[::1]:8443"
    assert parse_target("[::1]:8443").uri == "https://[::1]:8443/"
    assert parse_target("a.example").uri == "https://a.example/"
    assert parse_target("::1").is_address
    assert not parse_target("a.example").is_address
