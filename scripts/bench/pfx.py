"""What reading a PFX costs: the key derivations against cryptography's, the structure against pyasn1's.

    python -m scripts.bench.pfx

Ratios of CPU time within one run. openssl makes the files; converting is measured by convert.py.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.serialization import pkcs12

from pkitools.models.secret import Secret
from pkitools.protocol.pkcs12 import inspect_pfx, kdf, read_pfx

ITERATIONS = 600_000
PASSWORD = "bench"


def make_pfx(folder: Path, *options: str) -> bytes:
    """A PFX of an RSA-2048 key and three certificates, as openssl writes it."""
    key, certificate, out = folder / "key", folder / "crt", folder / "pfx"
    if not key.exists():
        new = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "9", "-subj", "/CN=Bench"]
        subprocess.run([*new, "-keyout", key, "-out", certificate], check=True, capture_output=True)
        (folder / "more").write_bytes(certificate.read_bytes() * 2)
    export = ["openssl", "pkcs12", "-export", "-inkey", key, "-in", certificate, "-certfile", folder / "more"]
    subprocess.run([*export, "-out", out, "-passout", f"pass:{PASSWORD}", *options], check=True, capture_output=True)
    return out.read_bytes()


def cpu(run: Callable[[], object], times: int = 3) -> float:
    """CPU seconds of ``run``, the best of some."""
    took = []
    for _ in range(times):
        start = time.process_time()
        run()
        took.append(time.process_time() - start)
    return min(took)


def report(what: str, ours: float, theirs: float) -> None:
    print(f"{what:<62} {ours * 1000:8.2f} ms / {theirs * 1000:8.2f} ms = {ours / theirs:5.2f}")


def derivations(folder: Path) -> None:
    theirs = cpu(lambda: PBKDF2HMAC(hashes.SHA256(), 32, b"saltsalt", ITERATIONS).derive(b"x"))
    ours = cpu(lambda: kdf.pbkdf2("sha256", b"x", b"saltsalt", ITERATIONS, 32))
    report(f"{ITERATIONS:,} iterations of PBKDF2 / cryptography's", ours, theirs)
    only_mac = make_pfx(folder, "-nokeys", "-certpbe", "NONE", "-iter", str(ITERATIONS), "-macalg", "sha256")
    with warnings.catch_warnings(action="ignore"):
        theirs = cpu(lambda: pkcs12.load_pkcs12(only_mac, PASSWORD.encode()))
    arguments = ("sha256", b"\0x\0\0", b"saltsalt", ITERATIONS)
    ours = cpu(lambda: kdf.pkcs12_kdf(*arguments, purpose=kdf.MAC_KEY, size=32))
    report(f"{ITERATIONS:,} iterations of the PKCS #12 MAC / cryptography's", ours, theirs)
    ours = cpu(lambda: kdf.pkcs12_kdf_portable(*arguments, purpose=kdf.MAC_KEY, size=32))
    report("  the same without libcrypto", ours, theirs)


def structure(folder: Path) -> None:
    from pyasn1.codec.ber import decoder
    from pyasn1.type.univ import OctetString
    from pyasn1_modules import rfc7292

    data = make_pfx(folder)

    def with_pyasn1() -> None:
        pfx, _ = decoder.decode(data, asn1Spec=rfc7292.PFX())
        authenticated, _ = decoder.decode(pfx["authSafe"]["content"], asn1Spec=OctetString())
        decoder.decode(bytes(authenticated), asn1Spec=rfc7292.AuthenticatedSafe())

    report("structure of a PFX, without its bags in pyasn1", cpu(lambda: inspect_pfx(data), 50), cpu(with_pyasn1, 50))
    ours = cpu(lambda: read_pfx(data, [Secret(PASSWORD)]), 50)
    theirs = cpu(lambda: pkcs12.load_pkcs12(data, PASSWORD.encode()), 5)
    report("PFX of RSA-2048, 2,048 iterations / cryptography's load_pkcs12", ours, theirs)


def main() -> None:
    if shutil.which("openssl") is None:
        sys.exit("openssl is not installed")
    with tempfile.TemporaryDirectory() as name:
        derivations(Path(name))
        structure(Path(name))


if __name__ == "__main__":
    main()
