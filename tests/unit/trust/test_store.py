import threading

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from pkitools.errors import FileAccessError, FormatError
from pkitools.models.trust import Origin
from pkitools.trust.store import Store, system_store
from tests.unit.trust.pki import Maker


@pytest.fixture(scope="module")
def maker() -> Maker:
    return Maker()


@pytest.fixture(autouse=True)
def _no_system_store(monkeypatch):
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pkitools.trust.store.BUNDLES", ())
    monkeypatch.setattr("pkitools.trust.store.FOLDERS", ())


def pem(*items) -> bytes:
    return b"".join(item.certificate.public_bytes(Encoding.PEM) for item in items)


@pytest.mark.parametrize("form", ["plain", "comments", "der"])
def test_ssl_cert_file(maker, monkeypatch, tmp_path, form):
    root, other = maker.root("Å"), maker.root("B")
    path = tmp_path / "wurzeln 🌱.pem"
    data = {"plain": pem(root, other), "comments": b"# Notiz\r\n" + pem(root, other), "der": root.der}[form]
    path.write_bytes(data)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    store = system_store()
    assert (len(store), store.problem, store.trusts(root.der)) == (1 if form == "der" else 2, "", True)


def test_ssl_cert_dir_is_read_when_it_is_needed(maker, monkeypatch, tmp_path):
    first, second = maker.root("Eins"), maker.root("Zwei")
    bundle, folder = tmp_path / "bundle.pem", tmp_path / "certs"
    folder.mkdir()
    bundle.write_bytes(pem(first))
    (folder / "zwei.0").write_bytes(pem(second))
    (folder / "junk").write_bytes(b"junk")
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    monkeypatch.setenv("SSL_CERT_DIR", f"{folder}:{tmp_path / 'missing'}")
    store = system_store()
    assert store.trusts(first.der)
    found = list(store.by_subject(second.certificate.subject.public_bytes()))
    assert found == [(second.der, Origin.STORE)]


def test_threads_that_need_the_folder_all_wait_for_it(maker, tmp_path):
    roots = [maker.root(f"Nr. {i}") for i in range(20)]
    for number, root in enumerate(roots):
        (tmp_path / f"{number}.pem").write_bytes(pem(root))
    store, seen = Store([tmp_path]), []
    threads = [threading.Thread(target=lambda: seen.append(store.trusts(roots[19].der))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [True] * 16


@pytest.mark.parametrize(
    ("content", "why"), [(None, "No such file"), (b"", "the file is empty"), (b"no certificate here", "damaged")]
)
def test_an_empty_missing_or_damaged_store_is_a_problem_and_no_error(monkeypatch, tmp_path, content, why):
    path = tmp_path / "store.pem"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    assert "store" in system_store().problem
    assert why in system_store().problem
    monkeypatch.delenv("SSL_CERT_FILE")
    assert "empty or missing" in system_store().problem


def test_ca_files_are_added_and_must_be_readable(maker, tmp_path):
    root = maker.root("Firma")
    ca = maker.ca("Ausgabe", root)
    path = tmp_path / "firma.pem"
    path.write_bytes(pem(root, ca))
    store = system_store([path])
    assert (store.trusts(root.der), store.trusts(ca.der)) == (True, False)
    assert list(store.by_subject(ca.certificate.subject.public_bytes())) == [(ca.der, Origin.EXTRA)]
    with pytest.raises(FileAccessError):
        system_store([tmp_path / "fehlt.pem"])
    path.write_bytes(b"junk")
    with pytest.raises(FormatError, match=r"firma\.pem"):
        system_store([path])
