"""What a start-up imports: help must appear at once."""

from __future__ import annotations

import subprocess
import sys

HEAVY = {
    "cryptography",
    "OpenSSL",
    "ldap3",
    "impacket",
    "spnego",
    "asyncio",
    "rich",
    "dns",
    "ssl",
    "pkitools.codes.lookup",
}
CODE = """
import sys
from pkitools.cli.main import run
run(sys.argv[1:])
print(*sorted(sys.modules), sep='\\n', file=sys.stderr)
"""


def loaded_by(*arguments: str) -> set[str]:
    """The modules that a run of the command line loads."""
    done = subprocess.run([sys.executable, "-c", CODE, *arguments], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def test_root_help_imports_nothing_heavy():
    loaded = loaded_by("--help")
    assert "pkitools.cli.registry" in loaded
    assert not loaded & HEAVY
    assert not [name for name in loaded if name.startswith(("pkitools.commands.", "pkitools.tls", "pkitools.adcs"))]


def test_probing_a_server_loads_nothing_of_certificates():
    loaded = loaded_by("test-ike", "--timeout", "0.5", "127.0.0.1")
    assert "pkitools.aovpn.ike.run" in loaded
    assert not loaded & {"pkitools.models.trust", "pkitools.models.certificate", "ssl", "json", "secrets", "stringprep"}
