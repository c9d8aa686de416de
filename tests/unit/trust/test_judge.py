import pytest

from pkitools.errors import FormatError, InputError
from pkitools.models.outcome import Severity
from pkitools.models.trust import ChainFlag, Judgement, Origin, Purpose, RevocationMode
from pkitools.trust import Settings, Store, judge
from tests.unit.trust.pki import CLIENT, DAY, IKE, NOW, SERVER, Issued, Maker


class World:
    """A root that is trusted, an issuing CA, and a judge without a network."""

    def __init__(self) -> None:
        self.maker = Maker()
        self.root = self.maker.root()
        self.ca = self.maker.ca("Prüf-CA", self.root, path_length=0)
        self.store = Store()
        self.store.add([self.root.der], Origin.STORE)

    def judge(self, *chain: Issued, purpose: Purpose = Purpose.SSTP_SERVER, name="vpn.lab.test", **more) -> Judgement:
        settings = Settings(self.store, revocation=RevocationMode.OFF, now=NOW, **more)
        return judge([item.der for item in chain], purpose, settings, name=name)

    def leaf(self, **more) -> Issued:
        return self.maker.leaf(self.ca, **more)


@pytest.fixture(scope="module")
def world() -> World:
    return World()


def ids(judgement: Judgement, least: Severity = Severity.WARNING) -> list[str]:
    return [f.id for f in judgement.findings if least is Severity.NOTE or f.severity is not Severity.NOTE]


def codes(judgement: Judgement) -> set[str | None]:
    return {f.code for f in judgement.findings if f.severity is Severity.ERROR}


def flags(judgement: Judgement) -> list[ChainFlag]:
    return [item.status for item in judgement.error_information]


def test_a_good_certificate(world):
    judged = world.judge(world.leaf(), world.ca)
    assert (judged.certificate_is_valid, judged.name_match, ids(judged), flags(judged)) == (True, True, [], [])
    assert [element.origin for element in judged.chain] == [Origin.SENT, Origin.SENT, Origin.STORE]


def test_self_signed(world):
    judged = world.judge(world.maker.issue("vpn.lab.test", sans=("vpn.lab.test",)))
    assert not judged.certificate_is_valid
    assert (ids(judged), codes(judged), flags(judged)) == (
        ["SelfSigned"],
        {"CERT_E_UNTRUSTEDROOT"},
        [ChainFlag.UntrustedRoot],
    )


@pytest.mark.parametrize(
    ("start", "end", "identifier"), [(-100, -2, "Expired"), (5, 100, "NotYetValid")], ids=["expired", "notyet"]
)
def test_outside_its_validity(world, start, end, identifier):
    judged = world.judge(world.leaf(start=NOW + start * DAY, end=NOW + end * DAY), world.ca)
    assert (ids(judged), codes(judged), flags(judged)) == ([identifier], {"CERT_E_EXPIRED"}, [ChainFlag.NotTimeValid])


def test_wrong_name_is_no_matter_of_the_chain(world):
    judged = world.judge(world.leaf(sans=("other.lab.test",)), world.ca)
    assert (judged.certificate_is_valid, judged.name_match) == (True, False)
    assert (ids(judged), codes(judged)) == (["NameMismatch"], {"CERT_E_CN_NO_MATCH"})


def test_missing_intermediate(world):
    judged = world.judge(world.leaf())
    assert (ids(judged), codes(judged), flags(judged)) == (
        ["PartialChain"],
        {"CERT_E_CHAINING"},
        [ChainFlag.PartialChain],
    )


def test_client_authentication_only(world):
    judged = world.judge(world.leaf(eku=(CLIENT,)), world.ca)
    assert (ids(judged), codes(judged), flags(judged)) == (
        ["WrongUsage"],
        {"CERT_E_WRONG_USAGE"},
        [ChainFlag.NotValidForUsage],
    )


def test_no_usage_extension_is_a_warning(world):
    judged = world.judge(world.leaf(eku=None), world.ca)
    assert (judged.certificate_is_valid, ids(judged), codes(judged)) == (True, ["NoUsageExtension"], set())


def test_ike_usage_is_a_note(world):
    judged = world.judge(world.leaf(eku=(SERVER, IKE)), world.ca)
    assert (judged.certificate_is_valid, ids(judged), ids(judged, Severity.NOTE)) == (True, [], ["IkeUsage"])


def test_common_name_only_is_a_warning(world):
    judged = world.judge(world.leaf(sans=()), world.ca)
    assert (judged.certificate_is_valid, judged.name_match, ids(judged)) == (True, True, ["CommonNameOnly"])


def test_nothing_to_judge_and_names_that_are_none(world):
    with pytest.raises(FormatError):
        world.judge()
    for name in ("a..b", "x" * 64 + ".test", "a\0b", ""):
        with pytest.raises(InputError):
            world.judge(world.leaf(), world.ca, name=name)
