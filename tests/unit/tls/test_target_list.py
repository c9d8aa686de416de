"""Lists of targets as PowerShell writes them."""

from __future__ import annotations

import pytest

from pkitools.errors import FormatError
from pkitools.tls.run import read_targets


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_list_in_any_encoding_that_powershell_writes(encoding):
    listed = "vpn.example.com\r\nbücher.example:444\r\n".encode(encoding)
    assert [name for name, _ in read_targets([], listed, "list.txt")] == ["vpn.example.com", "bücher.example:444"]


def test_a_list_that_is_no_unicode_is_refused():
    with pytest.raises(FormatError, match="neither UTF-8 nor UTF-16"):
        read_targets([], b"vpn\xff.example.com\n", "list.txt")
