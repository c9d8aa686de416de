"""Finding domain controllers: order by priority and weight, sites, and DNS servers that know or say nothing."""

from __future__ import annotations

import socket
import time
from collections import Counter

import pytest

from pkitools.errors import DeadlineExceededError, InputError, NameResolutionError, NoAnswerError
from pkitools.transport.dc_locator import GLOBAL_CATALOG, KERBEROS, LDAP, Locator, ServiceHost, order
from pkitools.transport.deadline import Deadline
from tests.lab.dns_stub import DnsStub

DOMAIN = "ad.example.test"


def test_names_of_the_records():
    assert LDAP.name(DOMAIN) == "_ldap._tcp.dc._msdcs.ad.example.test"
    assert LDAP.name(DOMAIN, "Köln") == "_ldap._tcp.Köln._sites.dc._msdcs.ad.example.test"
    assert GLOBAL_CATALOG.name(DOMAIN, "A") == "_ldap._tcp.A._sites.gc._msdcs.ad.example.test"
    assert KERBEROS.name(DOMAIN) == "_kerberos._tcp.ad.example.test"
    assert KERBEROS.name(DOMAIN, "A") == "_kerberos._tcp.A._sites.ad.example.test"


def test_priority_decides_and_weight_draws():
    records = [ServiceHost("far", 389, 10, 100), ServiceHost("heavy", 389, 0, 90), ServiceHost("light", 389, 0, 10)]
    first = Counter()
    for _ in range(2000):
        ordered = order(records)
        assert ordered[-1].host == "far"
        assert len(ordered) == 3
        first[ordered[0].host] += 1
    assert 1650 < first["heavy"] < 1950


def test_weights_of_zero():
    assert len(order([ServiceHost(str(index), 389) for index in range(5)])) == 5
    assert order([]) == []


def test_the_site_comes_first_and_the_others_behind():
    records = {
        (LDAP.name(DOMAIN, "Nah"), "SRV"): ["0 100 389 near.ad.example.test."],
        (LDAP.name(DOMAIN), "SRV"): ["0 100 389 far.ad.example.test.", "0 100 389 NEAR.ad.example.test."],
    }
    with DnsStub(records) as stub:
        hosts = [item.host for item in Locator(stub.address).services(LDAP, DOMAIN, Deadline(5), site="Nah")]
        unknown = [item.host for item in Locator(stub.address).services(LDAP, DOMAIN, Deadline(5), site="Nirgends")]
    assert hosts == ["near.ad.example.test", "far.ad.example.test"]
    assert sorted(unknown) == ["NEAR.ad.example.test", "far.ad.example.test"]


@pytest.mark.parametrize(
    "records",
    [{}, {(LDAP.name(DOMAIN), "A"): ["127.0.0.1"]}, {(LDAP.name(DOMAIN), "SRV"): ["0 0 0 ."]}],
    ids=["no name", "no record", "not offered"],
)
def test_no_controller(records):
    with DnsStub(records) as stub, pytest.raises(NameResolutionError) as caught:
        Locator(stub.address).services(LDAP, DOMAIN, Deadline(5))
    assert caught.value.code == "ERROR_DOMAIN_CONTROLLER_NOT_FOUND"
    assert "--dns" in caught.value.hint


def test_a_dns_server_that_is_silent():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        host, port = silent.getsockname()
        started = time.monotonic()
        with pytest.raises(DeadlineExceededError):
            Locator(f"{host}:{port}").services(LDAP, DOMAIN, Deadline(0.5))
        assert time.monotonic() - started < 1.0


def test_addresses():
    records = {("dc.ad.example.test", "A"): ["127.0.0.5"], ("dc.ad.example.test", "AAAA"): ["::1"]}
    with DnsStub(records) as stub:
        locator = Locator(stub.address)
        assert locator.addresses("dc.ad.example.test", Deadline(5)) == ("127.0.0.5", "::1")
        assert locator.addresses("192.0.2.1", Deadline(5)) == ("192.0.2.1",)
        with pytest.raises(NameResolutionError):
            locator.addresses("none.ad.example.test", Deadline(5))


@pytest.mark.parametrize("domain", ["a" * 70 + ".test", "x..test", "ä" * 80])
def test_names_that_are_none(domain):
    with DnsStub({}) as stub, pytest.raises(NoAnswerError):
        Locator(stub.address).services(LDAP, domain, Deadline(5))


@pytest.mark.parametrize("text", ["name", "1.2.3.4:x", "1.2.3.4:0", "[::1", "1.2.3.4:99999", "::1:x"])
def test_what_is_no_dns_server(text):
    with pytest.raises(InputError):
        Locator(text)


@pytest.mark.parametrize("text", ["192.0.2.1", "192.0.2.1:5353", "::1", "[::1]:5353", "[::1]"])
def test_dns_servers(text):
    Locator(text)
