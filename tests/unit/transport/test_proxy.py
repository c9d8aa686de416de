"""Where the proxy is, and that its password is seen by nobody."""

import pytest

from pkitools.errors import AccessDeniedError, AuthenticationError, ConnectError, InputError
from pkitools.protocol.http1 import ResponseHead
from pkitools.transport.proxy import parse_proxy, refusal


def test_a_proxy_with_credentials_of_the_environment():
    environment = {"PKITOOLS_PROXY_USER": "zoë", "PKITOOLS_PROXY_PASSWORD": "p:w🔑"}
    proxy = parse_proxy("http://proxy.example:3128/", environment)
    assert (proxy.host, proxy.port) == ("proxy.example", 3128)
    assert proxy.headers == (("Proxy-Authorization", "Basic em/DqzpwOnfwn5SR"),)
    assert "p:w" not in repr(proxy)


def test_without_credentials_none_are_sent():
    assert parse_proxy("http://[::1]", {}).headers == ()
    assert parse_proxy("http://[::1]", {}).port == 80


@pytest.mark.parametrize(
    "text",
    [
        "proxy:3128",
        "https://proxy:3128",
        "socks5://p:1",
        "http://",
        "http://p:99999",
        "http://p/path",
        "http://[::1",
        "",
    ],
)
def test_other_forms_are_refused(text):
    with pytest.raises(InputError, match="http://host:port"):
        parse_proxy(text, {})


@pytest.mark.parametrize(
    "text",
    [
        "http://user:geheim@proxy:3128",
        "http://user:geheim@proxy:x",
        "http://user:geheim@[::1",
        "http://user:1/geheim@p",
    ],
)
def test_a_password_in_the_address_is_refused_and_not_repeated(text):
    with pytest.raises(InputError) as caught:
        parse_proxy(text, {})
    assert "geheim" not in caught.value.message
    assert "PKITOOLS_PROXY_PASSWORD" in caught.value.hint


@pytest.mark.parametrize(
    ("status", "kind"), [(407, AuthenticationError), (403, AccessDeniedError), (502, ConnectError), (302, ConnectError)]
)
def test_a_refusal_is_a_typed_error(status, kind):
    proxy = parse_proxy("http://p:1", {})
    head = ResponseHead("1.1", status, "", (("Proxy-Authenticate", "NTLM"),))
    assert isinstance(refusal(proxy, head, "a:443"), kind)
