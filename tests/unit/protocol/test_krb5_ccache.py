"""The credential cache that we write, read by impacket's reader."""

from __future__ import annotations

from datetime import UTC, datetime

from impacket.krb5.ccache import CCache

from pkitools.protocol.krb5_ccache import PrincipalName, TicketRecord, pack_cache

NOW = datetime(2026, 11, 25, 20, 0, tzinfo=UTC)


def test_round_trip():
    client = PrincipalName(1, b"AD.EXAMPLE.TEST", ("björn".encode(),))
    server = PrincipalName(2, b"AD.EXAMPLE.TEST", (b"krbtgt", b"AD.EXAMPLE.TEST"))
    record = TicketRecord(client, server, 18, b"\x07" * 32, NOW, NOW, NOW, None, 0x40E10000, b"ticket")
    cache = CCache(pack_cache(client, [record]))
    credential = cache.credentials[0]
    assert credential["client"].prettyPrint() == "björn@AD.EXAMPLE.TEST".encode()
    assert credential["server"].prettyPrint() == b"krbtgt/AD.EXAMPLE.TEST@AD.EXAMPLE.TEST"
    assert (credential["key"]["keytype"], credential["key"]["keyvalue"]) == (18, b"\x07" * 32)
    assert credential["time"]["endtime"] == int(NOW.timestamp())
    assert credential["time"]["renew_till"] == 0
    assert credential["tktflags"] == 0x40E10000
    assert credential.ticket["data"] == b"ticket"


def test_bytes():
    owner = PrincipalName(1, b"R", (b"u",))
    assert pack_cache(owner, []).hex() == "05040000" + "0000000100000001" + "0000000152" + "0000000175"
