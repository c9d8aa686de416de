from pkitools.models.certificate import AlternativeName, NameKind, Oid
from tests.unit.trust.pki import Maker


def test_an_oid_shows_its_name_or_itself():
    assert (str(Oid("1.2.3")), str(Oid("1.2.3", "Größe"))) == ("1.2.3", "Größe")


def test_names_of_one_kind_keep_their_order():
    model = Maker().root("r").model
    changed = type(model)(
        **{name: getattr(model, name) for name in model.__slots__ if name != "subject_alternative_names"},
        subject_alternative_names=(
            AlternativeName(NameKind.DNS, "b"),
            AlternativeName(NameKind.IP, "::1"),
            AlternativeName(NameKind.DNS, "a"),
        ),
    )
    assert changed.names(NameKind.DNS) == ("b", "a")
    assert changed.self_issued
    assert changed.extension("2.5.29.19") is not None
    assert changed.extension("1.2.3") is None
