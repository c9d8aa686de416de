"""Text of phonebook entries and profiles: a policy that cannot be read is never shown as the Windows default."""

from pkitools.aovpn.phonebook_entries import read_entries
from pkitools.aovpn.profile_xml import read_profile
from pkitools.models.outcome import judged
from pkitools.output import text
from pkitools.output.views import phonebook, profile


def policy_line(lines: list[text.Line]) -> str:
    shown = text.render(lines, colour=False)
    return next(line for line in shown.splitlines() if line.strip().startswith("IPsec policy"))


def entry_line(*keys: str) -> str:
    (entry,) = read_entries("\r\n".join(("[Büro VPN]", *keys, "")).encode())
    return policy_line(phonebook.render(judged("x.pbk", entry, entry.findings), False))


def profile_line(suite: str) -> str:
    found = read_profile(f"<VPNProfile><NativeProfile>{suite}</NativeProfile></VPNProfile>".encode(), "x.xml")
    return policy_line(profile.render(judged("x.xml", found, found.findings), False))


def test_an_unreadable_policy_of_a_phonebook_is_no_default():
    assert "Windows default" in entry_line("NumCustomPolicy=0")
    for value in ("0g", "63000000" * 6):
        line = entry_line("NumCustomPolicy=1", f"CustomIPSecPolicies={value}")
        assert "cannot be read" in line and "Windows default" not in line


def test_an_unreadable_suite_of_a_profile_is_no_default():
    assert "Windows default" in profile_line("")
    line = profile_line("<CryptographySuite><DHGroup>Group19</DHGroup></CryptographySuite>")
    assert "cannot be read" in line and "Windows default" not in line
