"""How fast a serial number is found in a large CRL, beside cryptography and openssl: python scripts/bench/revocation.py

Prints ratios measured in this one run. Argument: number of entries (500,000).
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pkitools.protocol.crl import read_crl
from pkitools.trust.signatures import Proof, proof_of
from tests.unit.trust.pki import Issued, Maker, wrap


def large_crl(ca: Issued, count: int) -> bytes:
    """A signed CRL with so many entries, each with a 16-octet serial and a reason."""
    reason = wrap(0x30, wrap(0x30, bytes.fromhex("0603551d15") + wrap(4, b"\x0a\x01\x01")))
    rest = b"\x17\x0d260101000000Z" + reason
    entries = b"".join(wrap(0x30, wrap(2, b"\x41" + number.to_bytes(15, "big")) + rest) for number in range(count))
    algorithm = bytes.fromhex("300a06082a8648ce3d040302")
    head = wrap(2, b"\x01") + algorithm + ca.certificate.subject.public_bytes()
    body = wrap(0x30, head + b"\x17\x0d260101000000Z\x17\x0d270101000000Z" + wrap(0x30, entries))
    key = ca.key
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return wrap(0x30, body + algorithm + wrap(3, b"\0" + key.sign(body, ec.ECDSA(hashes.SHA256()))))


def seconds(work: Callable[[], object]) -> float:
    """The best of three."""
    times = []
    for _ in range(3):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    """Measures and prints."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 500_000
    ca = Maker().root()
    der = large_crl(ca, count)
    key = ca.certificate.public_key()
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    absent, last = b"\x42" + bytes(15), b"\x41" + (count - 1).to_bytes(15, "big")

    def ours(serial: bytes) -> bool:
        crl = read_crl(der)
        assert proof_of(crl.signed, spki) is Proof.GOOD
        assert crl.critical_in_entries() is None
        return crl.find(serial) is not None

    def theirs(serial: bytes) -> bool:
        crl = x509.load_der_x509_crl(der)
        assert crl.is_signature_valid(key)  # type: ignore[arg-type]
        return crl.get_revoked_certificate_by_serial_number(int.from_bytes(serial, "big")) is not None

    with tempfile.NamedTemporaryFile() as file:
        file.write(der)
        file.flush()
        command = ["openssl", "crl", "-inform", "DER", "-in", file.name, "-noout"]
        shell = seconds(lambda: subprocess.run(command, check=True))
    print(f"{count} entries, {len(der) / 1e6:.1f} MB; openssl crl reads it in {shell:.2f} s")
    for what, serial, found in (("not revoked", absent, False), ("revoked, the last entry", last, True)):
        assert ours(serial) is theirs(serial) is found
        mine, other = seconds(lambda s=serial: ours(s)), seconds(lambda s=serial: theirs(s))  # type: ignore[misc]
        print(f"{what}: pkitools {mine:.3f} s, cryptography {other:.3f} s, ratio {other / mine:.1f}")


if __name__ == "__main__":
    main()
