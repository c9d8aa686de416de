"""Finding out how a text is encoded."""

import pytest

from pkitools.files.text import decode_text, encoding_of

TEXT = "[Büro 😀]\r\nIpInterfaceMetric=3\r\n"


@pytest.mark.parametrize(
    ("data", "codec"),
    [
        (TEXT.encode(), "utf-8"),
        (TEXT.encode("utf-8-sig"), "utf-8"),
        (TEXT.encode("utf-16-le"), "utf-16-le"),
        (TEXT.encode("utf-16-be"), "utf-16-be"),
        (b"\xff\xfe" + TEXT.encode("utf-16-le"), "utf-16-le"),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), "utf-16-be"),
    ],
)
def test_unicode_texts_are_recognised(data, codec):
    assert encoding_of(data)[0] == codec
    assert decode_text(data) == TEXT


def test_ansi_keeps_every_byte():
    data = "Büro".encode("cp1252")
    assert encoding_of(data) == ("latin-1", 0)
    assert decode_text(data).encode("latin-1") == data


@pytest.mark.parametrize("data", [b"", b"\xff\xfe\x41", b"\xff\xfe\x00\xd8", b"\xef\xbb\xbf\xff"])
def test_broken_texts_decode_all_the_same(data):
    assert isinstance(decode_text(data), str)
