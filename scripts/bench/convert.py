"""What converting costs beside openssl and cryptography: CPU seconds of this run, and their ratios.

Usage: python scripts/bench/convert.py [--files 500] [--rsa4096 100]

The processes run with compiled modules, as after an installation. Needs openssl.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

IMPORTS = "import typer; import cryptography.hazmat.primitives.serialization, cryptography.x509"


def cpu_of_children(work: Callable[[], object]) -> float:
    """CPU seconds, user and system, of the processes that ``work`` starts and waits for."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    work()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


class Bench:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        self.environment |= {"PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": str(folder / "pyc"), "PW": "geheim"}

    def run(self, *command: str, check: bool = True) -> None:
        subprocess.run(
            command, cwd=self.folder, env=self.environment, check=check, capture_output=True, stdin=subprocess.DEVNULL
        )

    def openssl(self, line: str) -> None:
        self.run("openssl", *line.split())

    def python(self, *arguments: str) -> None:
        self.run(sys.executable, *arguments)

    def make(self, bits: int, count: int) -> list[str]:
        """``count`` PFX files of one leaf, its CA and root: 2,048 iterations, as openssl writes them."""
        for name in ("root", "issuing", f"leaf{bits}"):
            size = bits if name.startswith("leaf") else 2048
            self.openssl(f"genrsa -out {name}.key {size}")
        self.openssl("req -x509 -key root.key -subj /CN=Root -days 30 -out root.crt")
        (self.folder / "ca.ext").write_text("basicConstraints=critical,CA:TRUE\n")
        for name, issuer, more in (("issuing", "root", "-extfile ca.ext"), (f"leaf{bits}", "issuing", "")):
            self.openssl(f"req -new -key {name}.key -subj /CN={name} -out {name}.csr")
            self.openssl(
                f"x509 -req -in {name}.csr -CA {issuer}.crt -CAkey {issuer}.key -CAcreateserial -days 30 "
                f"-out {name}.crt {more}"
            )
        (self.folder / "chain.pem").write_bytes(
            (self.folder / "issuing.crt").read_bytes() + (self.folder / "root.crt").read_bytes()
        )
        self.openssl(
            f"pkcs12 -export -inkey leaf{bits}.key -in leaf{bits}.crt -certfile chain.pem "
            f"-passout env:PW -out rsa{bits}.pfx"
        )
        names = [f"rsa{bits}-{index}.pfx" for index in range(count)]
        for name in names:
            os.link(self.folder / f"rsa{bits}.pfx", self.folder / name)
        return names

    def batch(self, files: int) -> None:
        names = self.make(2048, files)

        def loop() -> None:
            script = 'for f; do openssl pkcs12 -in "$f" -passin env:PW -noenc -out "loop-${f%.pfx}.pem"; done'
            self.run("sh", "-c", script, "sh", *names)

        def ours() -> None:
            self.python("-m", "pkitools", "pfx-to-pem", *names, "--password-env", "PW", "-O", "ours/", "--force")

        ours()
        self.report(
            f"{files} PFX of RSA-2048 to PEM", cpu_of_children(ours), "loop of openssl", cpu_of_children(loop), 0.4
        )

    def large_keys(self, count: int) -> None:
        names = self.make(4096, count)
        theirs = "import os, sys\nfrom cryptography.hazmat.primitives.serialization import pkcs12\n"
        theirs += "for n in sys.argv[1:]: pkcs12.load_pkcs12(open(n, 'rb').read(), os.environb[b'PW'])"
        mine = "import os, sys\nfrom pkitools.keystore.convert import PemOptions, to_pem\n"
        mine += "from pkitools.models.secret import Secret\n"
        mine += "for n in sys.argv[1:]: to_pem(n, open(n, 'rb').read(), (Secret(os.environ['PW']),), PemOptions())"
        self.python("-c", mine, *names[:1])
        self.report(
            f"{count} PFX of RSA-4096 read",
            cpu_of_children(lambda: self.python("-c", mine, *names)),
            "cryptography's load_pkcs12",
            cpu_of_children(lambda: self.python("-c", theirs, *names)),
            0.05,
        )

    def one_file(self) -> None:
        pfx = ("-m", "pkitools", "pfx-to-pem", "rsa2048.pfx", "--password-env", "PW", "-O", "one/", "--force")
        pem = ("-m", "pkitools", "pem-to-pfx", "one/rsa2048.pem", "--password-env", "PW", "-O", "one/x.pfx", "--force")
        imports = min(cpu_of_children(lambda: self.python("-c", IMPORTS)) for _ in range(10))
        for name, command in (("one pfx-to-pem", pfx), ("one pem-to-pfx", pem)):
            self.python(*command)
            best = min(cpu_of_children(lambda command=command: self.python(*command)) for _ in range(10))
            self.report(name, best, "imports of typer and cryptography", imports, 1.5)
        self.memory(pfx)

    def memory(self, command: tuple[str, ...]) -> None:
        program = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL); "
        program += "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)"
        done = subprocess.run(
            [sys.executable, "-c", program, sys.executable, *command],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
        )
        print(f"one pfx-to-pem: peak RSS {done.stdout.strip()} MiB (aim: 45)")

    def report(self, what: str, ours: float, beside: str, theirs: float, aim: float) -> None:
        print(f"{what}: {ours:.2f} s CPU; {beside}: {theirs:.2f} s; ratio {ours / theirs:.3f} (aim: {aim})", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=500)
    parser.add_argument("--rsa4096", type=int, default=100)
    arguments = parser.parse_args()
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        bench.batch(arguments.files)
        bench.one_file()
        bench.large_keys(arguments.rsa4096)
    print(f"({time.monotonic() - start:.0f} s)")


if __name__ == "__main__":
    main()
