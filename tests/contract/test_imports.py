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
run(['--help'])
print(*sorted(sys.modules), sep='\\n', file=sys.stderr)
"""


def test_root_help_imports_nothing_heavy():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    assert "pkitools.cli.registry" in loaded
    assert not loaded & HEAVY
    assert not [name for name in loaded if name.startswith(("pkitools.commands.", "pkitools.tls", "pkitools.adcs"))]
