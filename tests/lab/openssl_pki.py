"""A PKI made by openssl on the spot, and every form of key and certificate file that openssl and ssh-keygen write."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.lab.programs import require_program

PASSWORD = "pässwörd"
NAME = "VPN Zürich"
_ALGORITHMS = {
    "rsa": ("RSA", "rsa_keygen_bits:2048"),
    "rsa-other": ("RSA", "rsa_keygen_bits:2048"),
    "pss": ("RSA-PSS", "rsa_keygen_bits:2048"),
    "p-256": ("EC", "ec_paramgen_curve:P-256"),
    "p-384": ("EC", "ec_paramgen_curve:P-384"),
    "p-521": ("EC", "ec_paramgen_curve:P-521"),
    "ed25519": ("ED25519", None),
    "ed448": ("ED448", None),
}
KINDS = ("rsa", "pss", "p-256", "p-384", "p-521", "ed25519", "ed448", "dsa")
_EXTENSIONS = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n"


class Pki:
    """Files in one folder: ``KIND.key``, ``KIND.crt``, ``chain.pem`` (issuing CA, root)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._openssl = require_program("openssl")
        self.openssl(
            *"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30".split(),
            *(
                "-keyout",
                "root.key",
                "-out",
                "root.crt",
                "-subj",
                "/CN=Lab Wurzel CA",
                "-addext",
                "keyUsage=critical,keyCertSign,cRLSign",
            ),
        )
        (folder / "ca.ext").write_text(_EXTENSIONS)
        self.key("issuing", "EC", "ec_paramgen_curve:P-256")
        self.certificate("issuing", "Lab Ausstellende CA", "root", "-extfile", "ca.ext")
        (folder / "chain.pem").write_bytes(self.read("issuing.crt") + self.read("root.crt"))
        for kind, (algorithm, option) in _ALGORITHMS.items():
            self.key(kind, algorithm, option)
            self.certificate(kind, f"vpn.zürich.example {kind}", "issuing")
        self.openssl(*"genpkey -genparam -algorithm DSA -pkeyopt dsa_paramgen_bits:1024 -out dsa.par".split())
        self.openssl(*"genpkey -paramfile dsa.par -out dsa.key".split())
        self.certificate("dsa", "vpn.zürich.example dsa", "issuing")

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def path(self, name: str) -> str:
        return str(self.folder / name)

    def run(self, *command: str, text: str | None = None) -> bytes:
        """What a program says on standard output; AssertionError with its complaint when it fails."""
        done = subprocess.run(
            command, cwd=self.folder, input=text.encode() if text else b"", capture_output=True, timeout=60
        )
        assert done.returncode == 0, (command, done.stderr.decode("latin-1"), done.stdout[-500:])
        return done.stdout

    def openssl(self, *arguments: str) -> bytes:
        return self.run(self._openssl, *arguments)

    def key(self, name: str, algorithm: str, option: str | None) -> None:
        more = ("-pkeyopt", option) if option else ()
        self.openssl("genpkey", "-algorithm", algorithm, *more, "-out", f"{name}.key")

    def certificate(self, name: str, subject: str, issuer: str, *more: str) -> None:
        self.openssl(*f"req -new -utf8 -key {name}.key -out {name}.csr -subj".split(), f"/CN={subject}")
        signed = f"x509 -req -in {name}.csr -CA {issuer}.crt -CAkey {issuer}.key -CAcreateserial -days 30"
        self.openssl(*signed.split(), "-out", f"{name}.crt", *more)

    def pfx(self, kind: str, *more: str, name: str = NAME) -> bytes:
        """A PFX of that kind as ``openssl pkcs12 -export`` makes it."""
        command = f"pkcs12 -export -inkey {kind}.key -in {kind}.crt -certfile chain.pem -out made.pfx"
        self.openssl(*command.split(), "-passout", f"pass:{PASSWORD}", "-name", name, *more)
        return self.read("made.pfx")


def key_forms(pki: Pki) -> dict[str, bytes]:
    """The RSA key in every form that openssl and ssh-keygen write, by name; PASSWORD opens what is encrypted."""
    secret = ("-passout", f"pass:{PASSWORD}")
    legacy = ("-provider", "legacy", "-provider", "default")
    topk8 = ("pkcs8", "-topk8", "-in", "rsa.key", *secret)
    forms = {
        "pkcs8 pbes2": pki.openssl(*topk8),
        "pkcs8 pbes2 aes-128 sha-512": pki.openssl(*topk8, "-v2", "aes-128-cbc", "-v2prf", "hmacWithSHA512"),
        "pkcs8 pbes2 3des sha-1": pki.openssl(*topk8, "-v2", "des3", "-v2prf", "hmacWithSHA1"),
        "pkcs8 scrypt": pki.openssl(*topk8, "-scrypt", "-scrypt_N", "1024"),
        "pkcs8 pbes1 3des": pki.openssl(*topk8, "-v1", "PBE-SHA1-3DES"),
        "pkcs8 pbes1 md5-des": pki.openssl(*topk8, "-v1", "PBE-MD5-DES", *legacy),
        "pkcs8 pbes1 rc2": pki.openssl(*topk8, "-v1", "PBE-SHA1-RC2-40", *legacy),
        "pkcs8 der encrypted": pki.openssl(*topk8, "-outform", "DER"),
        "pkcs8 der": pki.openssl("pkcs8", "-topk8", "-nocrypt", "-in", "rsa.key", "-outform", "DER"),
        "pkcs1": pki.openssl("rsa", "-traditional", "-in", "rsa.key"),
        "pkcs1 der": pki.openssl("rsa", "-traditional", "-in", "rsa.key", "-outform", "DER"),
    }
    for cipher in ("aes128", "aes192", "aes256", "des3", "camellia256"):
        forms[f"proc-type {cipher}"] = pki.openssl("rsa", "-traditional", "-in", "rsa.key", f"-{cipher}", *secret)
    forms["proc-type des"] = pki.openssl("rsa", "-traditional", "-in", "rsa.key", "-des", *secret, *legacy)
    keygen = require_program("ssh-keygen")
    for form, password in (("openssh", ""), ("openssh encrypted", PASSWORD)):
        copy = pki.folder / "ssh.key"
        shutil.copy(pki.path("rsa.key"), copy)
        copy.chmod(0o600)
        pki.run(keygen, "-q", "-p", "-P", "", "-N", password, "-a", "4", "-f", str(copy))
        forms[form] = copy.read_bytes()
    return forms
