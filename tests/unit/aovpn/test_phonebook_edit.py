"""set-phonebook on files: Intune's contract, backups, owner and mode, validated values."""

import os
import stat

import pytest

from pkitools.aovpn.phonebook_edit import set_phonebook, strategy_number, wanted_values
from pkitools.aovpn.policy import baseline
from pkitools.errors import ExitCode, FileAccessError, InputError
from pkitools.models.phonebook import EditMode, PhonebookSettings
from tests.unit.aovpn.phonebooks import BOOK

METRIC = PhonebookSettings(ipv4_metric=3)


@pytest.fixture
def book(tmp_path):
    path = tmp_path / "rasphone.pbk"
    path.write_bytes(BOOK.encode())
    path.chmod(0o640)
    return path


def test_editing_keeps_the_mode_and_a_backup_that_windows_does_not_read(book):
    outcome = set_phonebook(str(book), METRIC, entries=["Zoë"])
    assert outcome.status.exit_code is ExitCode.OK
    assert outcome.value.backup == f"{book}.bak"
    assert (book.parent / "rasphone.pbk.bak").read_bytes() == BOOK.encode()
    assert stat.S_IMODE(book.stat().st_mode) == 0o640
    assert sorted(path.name for path in book.parent.iterdir()) == ["rasphone.pbk", "rasphone.pbk.bak"]
    assert not [path for path in book.parent.iterdir() if path.suffix == ".pbk" and path != book]


def test_an_older_backup_is_never_overwritten(book):
    (book.parent / "rasphone.pbk.bak").write_text("precious")
    outcome = set_phonebook(str(book), METRIC, entries=["Zoë"])
    assert (book.parent / "rasphone.pbk.bak").read_text() == "precious"
    assert outcome.value.backup == f"{book}.bak2"


def test_the_second_run_writes_nothing(book):
    """The Intune script rewrote the file each time."""
    set_phonebook(str(book), METRIC, every=True)
    before = book.stat()
    outcome = set_phonebook(str(book), METRIC, every=True, mode=EditMode.REMEDIATE)
    assert not outcome.value.written and outcome.value.compliant and outcome.value.backup is None
    assert (book.stat().st_ino, book.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_detection_is_intunes_contract(book):
    assert set_phonebook(str(book), METRIC, every=True, mode=EditMode.DETECT).status.exit_code == 1
    assert book.read_bytes() == BOOK.encode()
    set_phonebook(str(book), METRIC, entries=["Zoë"], mode=EditMode.REMEDIATE)
    assert set_phonebook(str(book), METRIC, entries=["Zoë"], mode=EditMode.DETECT).status.exit_code == 0
    # the fork of the script looked at the first entry only
    outcome = set_phonebook(str(book), METRIC, every=True, mode=EditMode.DETECT)
    assert [finding.id for finding in outcome.value.findings] == ["NotCompliant"] * 2


def test_a_missing_file_is_no_compliance(tmp_path):
    """The Intune script exited 0."""
    with pytest.raises(FileAccessError):
        set_phonebook(str(tmp_path / "none.pbk"), METRIC, every=True, mode=EditMode.DETECT)


def test_only_the_chosen_entry_changes(book):
    """The Intune script changed all entries."""
    set_phonebook(str(book), METRIC, entries=["zoë"])
    assert book.read_bytes().count(b"IpInterfaceMetric=3\r\n") == 1


def test_a_dry_run_shows_and_does_not_write(book):
    outcome = set_phonebook(str(book), METRIC, entries=["Zoë"], mode=EditMode.DRY_RUN)
    assert outcome.value.diff[1:] == ("-IpInterfaceMetric=0", "+IpInterfaceMetric=3")
    assert outcome.value.diff[0].endswith("[Zoë]")
    assert book.read_bytes() == BOOK.encode()


def test_enabling_mobility_leaves_the_outage_time_alone(book):
    """Update-Rasphone's -DisableIkeMobility 'False' also set NetworkOutageTime to 0."""
    set_phonebook(str(book), PhonebookSettings(disable_mobility=False), every=True)
    assert book.read_bytes() == BOOK.encode()
    set_phonebook(str(book), PhonebookSettings(disable_mobility=False, network_outage_time=60), entries=["Zoë"])
    assert b"DisableMobility=0\r\nNetworkOutageTime=60\r\n" in book.read_bytes()


def test_the_two_metrics_are_apart(book):
    """Update-Rasphone set both families at once."""
    set_phonebook(str(book), PhonebookSettings(ipv6_metric=4), entries=["Zoë"])
    assert b"IpInterfaceMetric=4" not in book.read_bytes()
    assert b"Ipv6InterfaceMetric=4" in book.read_bytes()


def test_an_ipsec_policy_is_written_as_windows_keeps_it(book):
    settings = PhonebookSettings(ipsec_policy=baseline("aovpn-standard").policy)
    set_phonebook(str(book), settings, entries=["Zoë"])
    line = b"NumCustomPolicy=1\r\nCustomIPSecPolicies=020000000200000003000000030000000200000003000000\r\nNumEku=0"
    assert line in book.read_bytes()


@pytest.mark.parametrize(
    "bad",
    [
        PhonebookSettings(ipv4_metric=-1),
        PhonebookSettings(ipv6_metric=10000),
        PhonebookSettings(network_outage_time=30),
        PhonebookSettings(network_outage_time=1801),
        PhonebookSettings(vpn_strategy="10"),
        PhonebookSettings(vpn_strategy="Ikev3"),
        PhonebookSettings(),
    ],
)
def test_values_outside_their_range_are_refused(bad):
    """Update-Rasphone's metric was any string."""
    with pytest.raises(InputError):
        wanted_values(bad)


@pytest.mark.parametrize(("text", "number"), [("Ikev2Only", 7), ("VS_IKEV2SSTP", 14), ("14", 14), ("default", 0)])
def test_strategies_by_name_and_number(text, number):
    assert strategy_number(text) == number


@pytest.mark.parametrize(("entries", "every"), [([], False), (["Zoë"], True)])
def test_the_entries_must_be_chosen(book, entries, every):
    with pytest.raises(InputError, match="which entries"):
        set_phonebook(str(book), METRIC, entries=entries, every=every)


def test_a_symlink_stays_one(book, tmp_path):
    link = tmp_path / "link.pbk"
    link.symlink_to(book)
    set_phonebook(str(link), METRIC, entries=["Zoë"])
    assert link.is_symlink()
    assert b"IpInterfaceMetric=3" in book.read_bytes()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_the_owner_stays(book):
    os.chown(book, 12345, 23456)
    set_phonebook(str(book), METRIC, entries=["Zoë"])
    assert (book.stat().st_uid, book.stat().st_gid) == (12345, 23456)


def test_a_folder_that_cannot_be_written_leaves_the_file(book, monkeypatch):
    def refuse(*_args):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "fchmod", refuse)
    with pytest.raises(FileAccessError):
        set_phonebook(str(book), METRIC, entries=["Zoë"], backup=False)
    assert book.read_bytes() == BOOK.encode()
    assert [path.name for path in book.parent.iterdir()] == ["rasphone.pbk"]


@pytest.mark.corpus
def test_strategies_are_those_of_the_windows_sdk(corpus_enums):
    from pkitools.aovpn.phonebook_entries import VPN_STRATEGIES

    sdk = {number: name.removeprefix("VS_") for name, number in corpus_enums["VS (VpnStrategy)"].items()}
    assert sdk == VPN_STRATEGIES
