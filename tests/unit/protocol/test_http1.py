"""HTTP heads and bodies: what real servers send, and what hostile ones do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkitools.errors import ProtocolError
from pkitools.protocol import http1

RRAS = b"HTTP/1.1 200\r\nContent-Length: 18446744073709551615\r\nServer: Microsoft-HTTPAPI/2.0\r\n\r\n"


def test_windows_answers_without_a_reason_phrase():
    head, rest = http1.split_head(RRAS + b"\x10\x01")
    assert (head.status, head.reason, head.status_text) == (200, "", "200")
    assert head.content_length == 2**64 - 1
    assert head.get("server") == "Microsoft-HTTPAPI/2.0"
    assert rest == b"\x10\x01"


@pytest.mark.parametrize("line", [b"HTTP/1.1 200", b"HTTP/1.1 200 ", b"HTTP/1.0 200 OK", b"HTTP/1.1 200 b\xe4r"])
def test_status_lines_that_servers_send(line):
    assert http1.split_head(line + b"\r\n\r\n")[0].status == 200


def test_names_are_found_in_any_case_and_lines_may_end_in_lf():
    head, rest = http1.split_head(b"HTTP/1.1 404 Not Found\nserver: x\nX-A: 1\n 2\n\nbody")
    assert head.get("Server") == "x"
    assert head.get("x-a") == "1 2"
    assert rest == b"body"


@pytest.mark.parametrize("cut", range(len(RRAS)))
def test_a_head_in_pieces_is_waited_for(cut):
    assert http1.split_head(RRAS[:cut]) is None


@pytest.mark.parametrize("data", [b"220 mail ESMTP\r\n", b"\x15\x03\x01", b"HTTQ", b"SSH-2.0-x\r\n"])
def test_what_is_not_http_is_known_from_its_first_bytes(data):
    with pytest.raises(ProtocolError) as caught:
        http1.split_head(data)
    assert caught.value.error_id == "NotHttp"


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200,
        b"HTTP/1.1 200 OK\r\nA: " + b"b" * 20000,
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n: empty\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 150 + b"\r\n",
    ],
)
def test_hostile_heads_are_typed_errors(data):
    with pytest.raises(ProtocolError):
        http1.split_head(data)


@pytest.mark.parametrize("text", ["-1", "18446744073709551616", "1e3", "٣", "", "9" * 5000])
def test_a_content_length_is_a_number_below_two_to_the_64th(text):
    head = http1.ResponseHead("1.1", 200, "", (("Content-Length", text),))
    with pytest.raises(ProtocolError):
        _ = head.content_length


@given(st.binary(max_size=300))
def test_no_other_error_leaves_the_parser(data):
    for candidate in (data, b"HTTP/1.1 200 OK\r\n" + data + b"\r\n\r\n"):
        try:
            found = http1.split_head(candidate)
            if found is not None:
                http1.Body(found[0], 100).feed(found[1])
        except ProtocolError:
            pass


def head_with(*fields):
    return http1.ResponseHead("1.1", 200, "OK", fields)


def test_a_body_ends_with_its_length():
    body = http1.Body(head_with(("Content-Length", "5")), 10)
    body.feed(b"ab")
    assert not body.complete
    body.feed(b"cdefg")
    assert body.complete
    assert body.end() == b"abcde"


def test_a_chunked_body_byte_by_byte():
    body = http1.Body(head_with(("Transfer-Encoding", "chunked")), 10)
    for byte in b"3;x=y\r\nabc\r\n2\r\nde\r\n0\r\n\r\n":
        body.feed(bytes([byte]))
    assert body.end() == b"abcde"


def test_a_body_without_length_ends_with_the_connection():
    body = http1.Body(head_with(), 10)
    body.feed(b"abc")
    assert not body.complete
    assert body.end() == b"abc"


@pytest.mark.parametrize(
    ("fields", "data"),
    [
        ((("Content-Length", "11"),), b""),
        ((), b"x" * 2000),
        ((("Transfer-Encoding", "chunked"),), b"ffffffff\r\n"),
        ((("Transfer-Encoding", "chunked"),), b"zz\r\n"),
        ((("Transfer-Encoding", "chunked"),), b"1" * 2000),
        ((("Transfer-Encoding", "chunked"),), b"a\r\n0123456789\r\n" * 200),
    ],
)
def test_a_body_over_the_limit_is_refused(fields, data):
    with pytest.raises(ProtocolError):
        http1.Body(head_with(*fields), 10).feed(data)


@pytest.mark.parametrize(
    ("fields", "data"), [((("Content-Length", "5"),), b"abc"), ((("Transfer-Encoding", "chunked"),), b"3\r\nab")]
)
def test_a_body_cut_short_is_refused(fields, data):
    body = http1.Body(head_with(*fields), 10)
    body.feed(data)
    with pytest.raises(ProtocolError):
        body.end()


def test_a_request_with_a_line_break_inside_is_a_bug():
    with pytest.raises(ValueError, match="control"):
        http1.build_request("GET", "/", (("Host", "a\r\nX: y"),))
