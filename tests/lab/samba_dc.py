"""A real Active Directory domain controller (Samba) on a loopback address, for the lab and for ``scripts/lab``.

Needs root (ports below 1024) and Debian's samba packages. One is provisioned per test session and shared.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.lab.pki_directory import forest, to_ldif
from tests.lab.programs import refuse, require_program

REALM = "AD.EXAMPLE.TEST"
DOMAIN = "ad.example.test"
NETBIOS = "AD"
HOST = "dc1"
FQDN = f"{HOST}.{DOMAIN}"
BASE_DN = "DC=ad,DC=example,DC=test"
CONFIG_DN = f"CN=Configuration,{BASE_DN}"
ADMIN_PASSWORD = "Adm1n-Pässword"
SYSTEM_PYTHON = "/usr/bin/python3"
PORTS = (53, 88, 135, 389, 464, 636, 3268, 3269)
START_SECONDS = 30.0
_MARKER_PORT = 7

STRICT = "yes"
SASL_OVER_TLS = "allow_sasl_over_tls"

POLICY = {"lockoutThreshold": "3", "lockoutDuration": "-18000000000", "lockOutObservationWindow": "-18000000000"}


@dataclass(frozen=True)
class User:
    """An account of the lab domain."""

    name: str
    password: str
    groups: tuple[str, ...] = ()
    disabled: bool = False
    must_change: bool = False
    expired_password: bool = False
    account_expired: bool = False


ALICE = User("alice", "Grüße-🔑 2026!", groups=("VPN-Benutzer",))
BJOERN = User("björn", "Schlüssel+Bär-7")
DISABLED = User("disabled", "Passw0rd-disabled", disabled=True)
MUST_CHANGE = User("mustchange", "Passw0rd-change", must_change=True)
EXPIRED = User("expired", "Passw0rd-expired", expired_password=True)
ACCOUNT_EXPIRED = User("accountexpired", "Passw0rd-account", account_expired=True)
LOCKED = User("locked", "Passw0rd-locked")
CAREFUL = User("careful", "Passw0rd-careful")
USERS = (ALICE, BJOERN, DISABLED, MUST_CHANGE, EXPIRED, ACCOUNT_EXPIRED, LOCKED, CAREFUL)
GROUPS = ("VPN-Benutzer", "VPN-Server", "NPS-Server", "Leere Gruppe 🔒")


@dataclass
class SambaDC:
    """A domain controller in ``directory``, listening on ``address``. ``start`` it, and ``stop`` it."""

    directory: Path
    address: str
    strong_auth: str = STRICT
    domain_sid: str = ""
    _process: subprocess.Popen[bytes] | None = None

    @property
    def smb_conf(self) -> Path:
        return self.directory / "etc" / "smb.conf"

    @property
    def ca_file(self) -> Path:
        """The certificate of the CA that issued the server's TLS certificate (PEM)."""
        return self.directory / "private" / "tls" / "ca.pem"

    @property
    def krb5_conf(self) -> Path:
        """A krb5.conf for this domain (for kinit; ``environment`` names it)."""
        return self.directory / "krb5.conf"

    @property
    def environment(self) -> dict[str, str]:
        """The environment for MIT's and OpenLDAP's programs."""
        return {**os.environ, "KRB5_CONFIG": str(self.krb5_conf), "LDAPTLS_CACERT": str(self.ca_file)}

    def provision(self) -> None:
        """Makes the directory, with the users, the groups and the PKI objects of ``pki_directory``."""
        require_program("samba")
        command = [
            require_program("samba-tool"), "domain", "provision", f"--realm={REALM}", f"--domain={NETBIOS}",
            "--server-role=dc", "--dns-backend=SAMBA_INTERNAL", f"--adminpass={ADMIN_PASSWORD}",
            f"--host-name={HOST}", f"--host-ip={self.address}", f"--targetdir={self.directory}", "--option=log level=0",
        ]  # fmt: skip
        found = re.search(r"S-1-5-21-\d+-\d+-\d+", _run(command))
        assert found, "samba-tool names no domain SID"
        self.domain_sid = found[0]
        self._configure()
        objects = to_ldif(forest(), CONFIG_DN, self.domain_sid)
        self.populate(users=USERS, groups=GROUPS, policy=POLICY, ldif=objects)

    def clone(self, directory: Path, address: str, strong_auth: str) -> SambaDC:
        """The same domain controller once more, before its first start: same keys, another address and strictness."""
        shutil.copytree(self.directory, directory, ignore=shutil.ignore_patterns("*.sock", "run", "msg.*"))
        twin = SambaDC(directory, address, strong_auth, self.domain_sid)
        twin._configure()
        return twin

    def populate(
        self,
        *,
        users: tuple[User, ...] = (),
        groups: tuple[str, ...] = (),
        policy: dict[str, str] | None = None,
        ldif: str = "",
    ) -> None:
        """Writes into the databases directly, through samba's own modules; also while the server runs. The fast way."""
        config = {"users": [vars(user) for user in users], "groups": groups, "policy": policy or {}, "ldif": ldif}
        script = Path(__file__).with_name("samba_populate.py")
        _run([SYSTEM_PYTHON, str(script), str(self.smb_conf)], json.dumps(config))

    def start(self) -> None:
        """Starts samba and waits until every service accepts connections."""
        self._process = subprocess.Popen(
            [require_program("samba"), "-F", "--no-process-group", "-s", str(self.smb_conf)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        end = time.monotonic() + START_SECONDS
        for port in PORTS:
            while not _accepts(self.address, port):
                if self._process.poll() is not None or time.monotonic() > end:
                    log = (self.directory / "log.samba").read_text(errors="replace")[-2000:]
                    self.stop()
                    raise RuntimeError(f"samba does not listen on {self.address}:{port}:\n{log}")
                time.sleep(0.05)

    def stop(self) -> None:
        """Ends samba and its children."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def load_ldif(self, text: str) -> None:
        """Adds the entries of an LDIF to the running directory as its administrator, over LDAP."""
        with tempfile.NamedTemporaryFile("w", suffix=".ldif", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            self.ldap_tool("ldapadd", "-f", file.name)

    def ldap_tool(
        self, program: str, *arguments: str, user: str = "Administrator", password: str = ADMIN_PASSWORD
    ) -> str:
        """OpenLDAP's ``ldapsearch``, ``ldapadd``, … over TLS with a simple bind; its output."""
        with tempfile.NamedTemporaryFile("w", encoding="utf-8") as secret:
            secret.write(password)
            secret.flush()
            command = [
                require_program(program), "-H", f"ldaps://{self.address}", "-x", "-D", f"{user}@{DOMAIN}",
                "-y", secret.name, "-o", "TLS_REQCERT=never", *arguments,
            ]  # fmt: skip
            return _run(command, environment=self.environment)

    def export_keytab(self, user: str) -> Path:
        """A keytab with the keys of an account; made anew at each call."""
        path = self.directory / f"{user}.keytab"
        path.unlink(missing_ok=True)
        _run(
            [require_program("samba-tool"), "domain", "exportkeytab", str(path), f"--principal={user}@{REALM}",
             f"--configfile={self.smb_conf}"]
        )  # fmt: skip
        return path

    def kinit(self, user: User, ccache: str) -> None:
        """A ticket of MIT's own making in a cache (``FILE:…``, ``DIR:…``)."""
        environment = {**self.environment, "KRB5CCNAME": ccache}
        _run([require_program("kinit"), f"{user.name}@{REALM}"], user.password + "\n", environment=environment)

    def add_dns_record(self, name: str, kind: str, value: str) -> None:
        """A record in the domain's zone, through the running server."""
        _run(
            [require_program("samba-tool"), "dns", "add", self.address, DOMAIN, name, kind, value,
             "-U", f"Administrator%{ADMIN_PASSWORD}", f"--configfile={self.smb_conf}"]
        )  # fmt: skip

    def bad_password_count(self, user: str) -> int:
        """What the controller has counted for an account."""
        output = self.ldap_tool("ldapsearch", "-LLL", "-b", BASE_DN, f"(sAMAccountName={user})", "badPwdCount")
        line = next((line for line in output.splitlines() if line.startswith("badPwdCount:")), "badPwdCount: 0")
        return int(line.split(":")[1])

    def lock_out(self, user: User) -> None:
        """Locks an account as it happens in life: wrong passwords until the policy says enough."""
        for _ in range(int(POLICY["lockoutThreshold"])):
            with contextlib.suppress(RuntimeError):
                self.ldap_tool("ldapsearch", "-b", "", "-s", "base", user=user.name, password="falsch")

    def _configure(self) -> None:
        for name in ("run", "etc", "winbindd_socket"):
            (self.directory / name).mkdir(exist_ok=True)
        self.smb_conf.write_text(_SMB_CONF.format(dc=self), encoding="utf-8")
        self.krb5_conf.write_text(_KRB5_CONF.format(dc=self), encoding="utf-8")
        write_tls_files(self.directory / "private" / "tls", self.address, elliptic=self.strong_auth != STRICT)


_SMB_CONF = """\
[global]
    netbios name = DC1
    realm = AD.EXAMPLE.TEST
    workgroup = AD
    server role = active directory domain controller
    interfaces = {dc.address}/8
    bind interfaces only = yes
    server services = rpc, nbt, wrepl, ldap, cldap, kdc, drepl, winbindd, ntp_signd, kcc, dnsupdate, dns
    ldap server require strong auth = {dc.strong_auth}
    private dir = {dc.directory}/private
    state directory = {dc.directory}/state
    cache directory = {dc.directory}/cache
    lock directory = {dc.directory}
    binddns dir = {dc.directory}/bind-dns
    pid directory = {dc.directory}/run
    ncalrpc dir = {dc.directory}/ncalrpc
    winbindd socket directory = {dc.directory}/winbindd
    ntp signd socket directory = {dc.directory}/ntp
    log file = {dc.directory}/log.samba
    log level = 1
    max log size = 1000
    dns forwarder = none
    tls enabled = yes
[sysvol]
    path = {dc.directory}/state/sysvol
    read only = no
[netlogon]
    path = {dc.directory}/state/sysvol/ad.example.test/scripts
    read only = no
"""

_KRB5_CONF = """\
[libdefaults]
    default_realm = AD.EXAMPLE.TEST
    dns_lookup_kdc = false
    dns_lookup_realm = false
    rdns = false
    dns_canonicalize_hostname = false
    udp_preference_limit = 1
[realms]
    AD.EXAMPLE.TEST = {{
        kdc = {dc.address}
        admin_server = {dc.address}
    }}
[domain_realm]
    .ad.example.test = AD.EXAMPLE.TEST
    ad.example.test = AD.EXAMPLE.TEST
"""


def write_tls_files(directory: Path, address: str, *, elliptic: bool) -> None:
    """A CA and a server certificate of its own: RSA with SHA-256, or elliptic with SHA-384 (another binding hash)."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.x509.oid import NameOID

    def new_key() -> ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey:
        return ec.generate_private_key(ec.SECP256R1()) if elliptic else rsa.generate_private_key(65537, 2048)

    directory.mkdir(parents=True, exist_ok=True)
    algorithm: hashes.HashAlgorithm = hashes.SHA384() if elliptic else hashes.SHA256()
    now = datetime.datetime.now(datetime.UTC)
    ca_key, server_key = new_key(), new_key()
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Lab LDAP CA")])

    def builder(subject: str) -> x509.CertificateBuilder:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
        return (
            x509.CertificateBuilder(issuer_name=issuer, subject_name=name, serial_number=x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=30))
        )

    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    ca = (
        builder("Lab LDAP CA")
        .public_key(ca_key.public_key())
        .add_extension(x509.BasicConstraints(True, None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), critical=False)
        .add_extension(x509.KeyUsage(True, False, False, False, False, True, True, False, False), critical=True)
        .sign(ca_key, algorithm)
    )
    server = (
        builder(FQDN)
        .public_key(server_key.public_key())
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(FQDN)]), critical=False)
        .add_extension(x509.BasicConstraints(False, None), critical=True)
        .add_extension(authority, critical=False)
        .sign(ca_key, algorithm)
    )
    pem = serialization.Encoding.PEM
    (directory / "ca.pem").write_bytes(ca.public_bytes(pem))
    (directory / "cert.pem").write_bytes(server.public_bytes(pem))
    key_file = directory / "key.pem"
    key_file.write_bytes(server_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    key_file.chmod(0o600)  # samba refuses a key that others may read


def require_samba() -> None:
    """Skips (fails in CI) where no domain controller can run."""
    if os.geteuid() != 0:
        refuse("a Samba domain controller needs root for its ports")
    for program in ("samba", "samba-tool"):
        require_program(program)
    if subprocess.run([SYSTEM_PYTHON, "-c", "import samba.samdb"], capture_output=True, check=False).returncode:
        refuse("python3-samba is not installed")


def reserve_address() -> tuple[str, socket.socket]:
    """A loopback address for a domain controller, and the socket that keeps other test runs from taking it too."""
    for last in range(10, 250):
        address = f"127.0.0.{last}"
        marker = socket.socket()
        try:
            marker.bind((address, _MARKER_PORT))
        except OSError:
            marker.close()
            continue
        if not any(_accepts(address, port) for port in PORTS):
            return address, marker
        marker.close()
    raise RuntimeError("no loopback address is free")


def _accepts(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), 1).close()
    except OSError:
        return False
    return True


def _run(command: list[str], text: str = "", environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, input=text, capture_output=True, encoding="utf-8", env=environment, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[:3]} failed with {done.returncode}: {done.stderr[-2000:]}{done.stdout[-500:]}")
    return done.stdout or done.stderr
