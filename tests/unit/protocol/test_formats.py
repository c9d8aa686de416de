"""Telling formats apart costs no more than a few passes over the file."""

from __future__ import annotations

import base64
import time

import pytest

from pkitools.protocol.formats import unarmored

BEGIN, END = b"-----BEGIN PKCS12-----", b"-----END PKCS12-----"


@pytest.mark.parametrize("text", [BEGIN * 20_000, b"MI" + b" " * 40_000 + b"!", b"MI" + b"\n" * 40_000 + b"=" * 40_000])
def test_text_that_makes_a_search_return_again_and_again(text: bytes) -> None:
    start = time.process_time()
    assert unarmored(text) is None
    assert time.process_time() - start < 2  # it took the square of the length: half a minute


@pytest.mark.parametrize("content", [b"\x30\x82", b"0\x82a", bytes.fromhex("3082010002010330")])
def test_armor_comes_off(content: bytes) -> None:
    bare = base64.encodebytes(content)
    assert unarmored(b"noise\n" + BEGIN + b"\r\n" + bare + END + b"\n" + BEGIN + b"\n" + bare) == content
    assert unarmored(bare + b"\r\n ") == content
    assert unarmored(BEGIN + bare) is None
    assert unarmored(b"!" + bare) is None
