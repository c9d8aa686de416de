"""get-error-message: notations, the double meaning of numbers, pasted events, decision paths."""

import pytest

from pkitools.aovpn.error_message import find_error_messages, get_error_message
from pkitools.errors import ExitCode, InputError


@pytest.mark.parametrize(
    ("text", "name", "number"),
    [
        ("13868", "ERROR_IPSEC_IKE_POLICY_MATCH", 13868),
        ("0x362C", "ERROR_IPSEC_IKE_POLICY_MATCH", 13868),
        ("0x80092013", "CRYPT_E_REVOCATION_OFFLINE", -2146885613),
        ("-2146885613", "CRYPT_E_REVOCATION_OFFLINE", -2146885613),
        ("2148081683", "CRYPT_E_REVOCATION_OFFLINE", -2146885613),
        ("800B010F", "CERT_E_CN_NO_MATCH", -2146762481),
        ("800b010fh", "CERT_E_CN_NO_MATCH", -2146762481),
        ("80070005", "E_ACCESSDENIED", -2147024891),
        ("0x800706BA", "RPC_S_SERVER_UNAVAILABLE", -2147023174),
        ("cert_e_expired", "CERT_E_EXPIRED", -2146762495),
        ("0xC000006D", "STATUS_LOGON_FAILURE", -1073741715),
        (" 809 ", "ERROR_VPN_TIMEOUT", 809),
        ("956", "ERROR_REMOTEACCESS_NOT_CONFIGURED", 956),
    ],
)
def test_notations(text, name, number):
    value = get_error_message(text).value
    assert (value.name, value.error_code) == (name, number)
    assert value.hex_code == f"0x{number & 0xFFFFFFFF:08X}"


def test_a_number_with_two_meanings_is_ras_first():
    value = get_error_message(691).value
    assert (value.family, value.name) == ("ras", "ERROR_AUTHENTICATION_FAILURE")
    assert [(item.family, item.name) for item in value.other_meanings] == [("win32", "ERROR_DBG_TERMINATE_THREAD")]
    assert value.other_meanings[0].message is None


def test_211_numbers_have_both_meanings():
    both = [
        number
        for number in range(600, 879)
        if (value := get_error_message(number).value)
        and value.family == "ras"
        and any(item.family == "win32" for item in value.other_meanings)
    ]
    assert len(both) == 211


@pytest.mark.parametrize("text", ["4999", "0x12345678", "NO_SUCH_NAME"])
def test_an_unknown_code_is_exit_code_1(text):
    outcome = get_error_message(text)
    assert outcome.value is None
    assert outcome.status.exit_code is ExitCode.FINDING
    assert outcome.reason.id == "UnknownCode"


@pytest.mark.parametrize("text", ["", "zz", "0x", "-", "99999999999", "0x123456789", "1.5", "１３"])
def test_what_is_no_code_is_exit_code_2(text):
    with pytest.raises(InputError):
        get_error_message(text)


@pytest.mark.parametrize(
    ("code", "command", "words"),
    [
        ("13868", "compare-ipsec", "PRF"),
        ("13801", "test-ike HOST --certificate", "IKE intermediate"),
        ("13806", "test-ike", "Local Computer"),
        ("809", "test-ike", "UDP 4500"),
        ("812", "nps-certificate", "6273"),
        ("691", "show", "KB5014754"),
        ("0x80092013", "test-ssl", "CRL"),
        ("0x800B010F", "test-ssl", "wildcard"),
        ("0x800706BA", "ping-ca", "135"),
    ],
)
def test_decision_paths(code, command, words):
    value = get_error_message(code).value
    assert any(command in line for line in value.commands)
    assert any(words in check for check in value.checks)
    assert value.meaning


EVENT = """Log Name: Application   Source: RasClient   Event ID: 20227   Date: 25.11.2026 09:30:00
CoId={0A1B2C3D-0000-1111-2222-333344445555}: The user CONTOSO\\Zoë dialed a connection
named Büro VPN 😀 which has failed.
The error code returned on failure is 13801. Server 10.0.0.1 port 443, 800 bytes; then status 0x80092013 (-2146885613).
Fehlercode: 809. CERT_E_EXPIRED
"""


def test_codes_in_a_pasted_event():
    names = [outcome.value.name for outcome in find_error_messages(EVENT)]
    assert names == [
        "ERROR_IPSEC_IKE_AUTH_FAIL",
        "CRYPT_E_REVOCATION_OFFLINE",
        "ERROR_VPN_TIMEOUT",
        "CERT_E_EXPIRED",
    ]


@pytest.mark.parametrize("text", ["", "all well on port 443", "Event ID 20227 at 10.0.0.1"])
def test_a_text_without_code_is_unreadable(text):
    with pytest.raises(InputError):
        list(find_error_messages(text))


def test_a_long_log_is_searched_once_per_code():
    text = "error code 13868 at 0x80092013, code 99999 " * 20_000
    assert [outcome.value.error_code for outcome in find_error_messages(text)] == [13868, -2146885613]
