import pytest

from pkitools.errors import InputError, ProtocolError
from pkitools.trust import sources as module
from pkitools.trust.sources import Ask, Sources, Visits, check_url
from tests.unit.trust.web import Clock, Web


@pytest.mark.parametrize(
    "url",
    [
        "ldap:///CN=x",
        "https://a.test/x",
        "file:///etc/passwd",
        "ftp://a.test/",
        "http://user:secret@a.test/",
        "http:///x",
        "http://a.test:99999/",
        "http://[::1/",
        "http://a.test/ x",
        "http://a.test/\r\nX: y",
        "http://a.test/" + "x" * 3000,
        "",
        "//a.test/",
    ],
)
def test_addresses_that_are_not_asked(url):
    with pytest.raises(InputError):
        check_url(url)
    web = Web()
    value, record = Sources(web).get(Ask(url, "Crl"), bytes, Clock(1))
    assert (value, web.asked) == (None, [])
    assert record.error


def test_http_addresses_are_asked():
    for url in ("http://a.test/x.crl", "HTTP://a.test:8080/CN=ä+x", "http://[::1]:80/"):
        check_url(url)


def test_an_answer_is_parsed_once_and_its_failure_kept():
    web, calls = Web(), []
    web.pages["http://a.test/"] = b"x"

    def parse(data: bytes) -> str:
        calls.append(data)
        raise ProtocolError("nonsense")

    sources = Sources(web)
    for _ in range(3):
        value, record = sources.get(Ask("http://a.test/", "Crl"), parse, Clock(1))
        assert (value, record.error, record.size) == (None, "nonsense", 1)
    assert (calls, web.asked) == ([b"x"], ["http://a.test/"])


def test_a_bug_in_a_parser_leaves_nobody_waiting():
    web = Web()
    web.pages["http://a.test/"] = b"x"
    sources = Sources(web)
    with pytest.raises(ZeroDivisionError):
        sources.get(Ask("http://a.test/", "Crl"), lambda data: 1 // 0, Clock(1))
    value, record = sources.get(Ask("http://a.test/", "Crl"), bytes, Clock(1))
    assert value is None
    assert record.error


def test_more_than_the_limit_is_not_taken(monkeypatch):
    monkeypatch.setitem(module.LIMITS, "Ocsp", 10)
    web = Web()
    web.pages["http://a.test/"] = b"x" * 11
    _, record = Sources(web).get(Ask("http://a.test/", "Ocsp"), bytes, Clock(1))
    assert "more than 10 bytes" in record.error


def test_a_run_has_its_limits(monkeypatch):
    monkeypatch.setattr(module, "MAX_URLS_PER_RUN", 3)
    web = Web()
    sources = Sources(web)
    for number in range(9):
        sources.get(Ask(f"http://h{number}.test/", "Crl"), bytes, Clock(1))
    assert len(web.asked) == 3


def test_a_judgement_has_its_limits_and_its_list():
    web = Web()
    visits = Visits(Sources(web), Clock(1))
    for number in range(40):
        visits.get(Ask(f"http://h{number}.test/", "Crl"), bytes)
        visits.get(Ask(f"http://h{number}.test/", "Crl"), bytes)
    assert len(web.asked) == module.MAX_URLS_PER_JUDGEMENT
    assert len(visits.records) <= module.MAX_URLS_PER_JUDGEMENT + 1
    assert "too many" in visits.error_of("http://h39.test/")


def test_nothing_is_fetched_when_no_time_is_left_or_without_a_fetcher():
    web = Web()
    _, record = Sources(web).get(Ask("http://a.test/", "Crl"), bytes, Clock(0))
    assert (record.error, web.asked) == ("not fetched: no time was left", [])
    _, record = Sources(None).get(Ask("http://a.test/", "Crl"), bytes, Clock(1))
    assert "no network" in record.error
