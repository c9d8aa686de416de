"""Reading a PFX (RFC 7292 4): what the outside tells, and everything with the password. Each refusal has its own cause.

What was opened is judged as a whole: the MAC that holds while decryption fails means two passwords; decryption that
works while the MAC fails means another MAC password or damage, and ``evidence`` looks which; neither is a wrong
password.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pkitools.errors import FormatError, PasswordError
from pkitools.models.keystore import Attribute, CertificateEntry, Encryption, KeyEntry, KeyStoreContent, Mac
from pkitools.models.outcome import Finding, Severity, finding
from pkitools.models.secret import Secret
from pkitools.protocol import der
from pkitools.protocol.formats import Format, sniff, unarmored
from pkitools.protocol.pkcs12.attributes import certificate_entry, key_entry
from pkitools.protocol.pkcs12.passwords import FORM_NOTES, Candidate, PasswordForm, candidates
from pkitools.protocol.pkcs12.pbe import Scheme
from pkitools.protocol.pkcs12.structure import (
    PROTECTED_PASSWORD,
    X509_CERTIFICATE,
    X509_CRL,
    RawBag,
    RawPfx,
    RawSafe,
    encrypted_private_key,
    parse_bags,
    parse_pfx,
)

MAX_ITERATIONS = 10_000_000
_SID = re.compile(rb"S-1-[0-9]{1,14}(?:-[0-9]{1,10}){1,15}")


@dataclass(frozen=True, slots=True)
class Bag:
    """One bag, in the file's order. ``kind`` is Key, ShroudedKey, Certificate, Crl, Secret, SafeContents or Unknown.

    ``encryption`` is that of a shrouded key; ``entry`` is None for what is neither key nor certificate, and for a key
    that was not decrypted. ``attributes`` are all attributes as found. ``depth`` counts the nested safes around it.
    """

    kind: str
    oid: str
    depth: int
    attributes: tuple[Attribute, ...]
    entry: KeyEntry | CertificateEntry | None = None
    encryption: Encryption | None = None
    secret_type: str | None = None
    crl: bytes | None = None


@dataclass(frozen=True, slots=True)
class Safe:
    """One ContentInfo of the authenticated safe; ``bags`` is None while its encryption hides them."""

    content_type: str
    encryption: Encryption | None
    bags: tuple[Bag, ...] | None


@dataclass(frozen=True, slots=True)
class PfxFile:
    """A PFX as found: what it holds (``content``: every key and certificate bag, in order, doubles included) and how it
    is built.

    ``trailing`` counts bytes after the end; ``ber`` tells an encoding that is not DER; ``armored`` a PEM or base64 text
    around it; ``password_form`` is None when no password was needed or given; ``mac_oid`` is the MAC's algorithm when
    it is not supported (then ``mac`` is None); ``protected_to`` are the SIDs of a file that only they can open.
    """

    content: KeyStoreContent
    safes: tuple[Safe, ...]
    mac: Mac | None
    password_form: PasswordForm | None
    version: int = 3
    ber: bool = False
    trailing: int = 0
    armored: bool = False
    mac_problem: str | None = None
    protected_to: tuple[str, ...] | None = None
    ascii_password: bool = True

    @property
    def bags(self) -> tuple[Bag, ...]:
        """All bags that are visible, in the file's order."""
        return tuple(bag for safe in self.safes for bag in safe.bags or ())


def inspect_pfx(data: bytes) -> PfxFile:
    """What a PFX tells without its password. Raises FormatError as ``read_pfx`` does."""
    raw, armored = _parse(data)
    mac = raw.mac.describe(None) if raw.mac else None
    return _assembled(raw, [_shown_safe(safe, safe.bags, {}) for safe in raw.safes], mac, None, armored)


def read_pfx(data: bytes, passwords: Sequence[Secret], *, max_iterations: int = MAX_ITERATIONS) -> PfxFile:
    """Read a PFX wholly: check its MAC, decrypt everything.

    ``passwords`` are tried in order, for the MAC and for each encrypted part; an empty one stands for the empty and for
    the absent password, and so does none at all. Raises PasswordError (WrongPassword, MacPasswordDiffers,
    EncryptionPasswordDiffers, SidProtected) or FormatError (NotPfx, SignedPfx, Damaged, IterationsOverLimit,
    UnsupportedAlgorithm, Pbmac1KeyLength).
    """
    raw, armored = _parse(data)
    return _Opening(raw, candidates(passwords), max_iterations).opened(armored)


def decrypt_private_key(
    encrypted: bytes, passwords: Sequence[Secret], *, max_iterations: int = MAX_ITERATIONS
) -> bytes:
    """The PrivateKeyInfo in an EncryptedPrivateKeyInfo (RFC 5958 3), as found. Raises as ``read_pfx``."""
    what = "the encrypted private key"
    reader = der.Reader(encrypted, what)
    scheme, ciphertext = encrypted_private_key(reader, what)
    _check_work([scheme.derivation.work], max_iterations)
    for candidate in _distinct(scheme, candidates(passwords)):
        plain = scheme.decrypt(ciphertext, candidate)
        if plain is not None and (whole := _whole_sequence(plain)) is not None:
            return whole
    raise PasswordError(f"wrong password for {what}", hint="or the key is damaged; both look alike")


def _parse(data: bytes) -> tuple[RawPfx, bool]:
    found = sniff(data)
    if found is Format.PFX:
        return parse_pfx(data), False
    inner = unarmored(data)
    if inner is not None and sniff(inner) is Format.PFX:
        return parse_pfx(inner), True
    raise FormatError(f"not a PFX: this is {described(found)}", hint=_HINTS.get(found, ""), error_id="NotPfx")


def described(found: Format) -> str:
    """A format with its article, for sentences."""
    return _A.get(found, "a PFX")


_A = {
    Format.PEM: "PEM text",
    Format.CERTIFICATE: "a DER certificate, without a private key",
    Format.P7B: "a P7B (PKCS #7), which holds certificates and no private key",
    Format.CSR: "a certificate request",
    Format.CRL: "a certificate revocation list",
    Format.PKCS8: "a private key in DER (PKCS #8)",
    Format.ENCRYPTED_PKCS8: "an encrypted private key in DER (PKCS #8)",
    Format.PKCS1: "a private key in DER (PKCS #1)",
    Format.SEC1: "a private key in DER (SEC 1)",
    Format.JKS: "a Java key store of the old format (JKS)",
    Format.JCEKS: "a Java key store of the old format (JCEKS)",
    Format.EMPTY: "an empty file",
    Format.UNKNOWN: "no format that pkitools knows, or its beginning is damaged",
}
_JAVA = "convert it first: keytool -importkeystore -srckeystore FILE -destkeystore new.pfx -deststoretype PKCS12"
_PEM_TO_PFX = "pkitools pem-to-pfx makes a PFX of it and its private key"
_HINTS = {
    Format.PEM: _PEM_TO_PFX,
    Format.CERTIFICATE: _PEM_TO_PFX,
    Format.P7B: _PEM_TO_PFX,
    Format.PKCS8: _PEM_TO_PFX,
    Format.ENCRYPTED_PKCS8: _PEM_TO_PFX,
    Format.PKCS1: _PEM_TO_PFX,
    Format.SEC1: _PEM_TO_PFX,
    Format.JKS: _JAVA,
    Format.JCEKS: _JAVA,
    Format.UNKNOWN: "is this the right file?",
}


def _check_work(counts: Sequence[int], limit: int) -> None:
    """Refuse a file whose key derivations would take too long, one of them or all together."""
    largest, total = max(counts, default=0), sum(counts)
    if total > limit:
        one = f"an iteration count of {largest:,} is"
        raise FormatError(
            f"{one if largest > limit else f'iteration counts of {total:,} together are'} above the limit of {limit:,}",
            hint="--max-iterations raises the limit; opening the file will take long",
            error_id="IterationsOverLimit",
        )


def _distinct(scheme: Scheme, tried: Sequence[Candidate]) -> Iterator[Candidate]:
    """The candidates without those that give the scheme the same octets as an earlier one."""
    for index, candidate in enumerate(tried):
        if not any(scheme.same_key(candidate, earlier) for earlier in tried[:index]):
            yield candidate


def _whole_sequence(plain: bytes) -> bytes | None:
    """``plain`` when it is one SEQUENCE, as every right decryption is; random bytes hardly ever are."""
    reader = der.Reader(plain, "the decrypted content")
    try:
        found = reader.raw(der.SEQUENCE, "a SEQUENCE")
    except der.DerError:
        return None
    return None if reader.more() else found


def _note(note_id: str, message: str) -> Finding:
    return finding(Severity.NOTE, note_id, message)


class _Opening:
    """One attempt to open a parsed PFX: which candidates fit what, and what came out."""

    def __init__(self, raw: RawPfx, tried: list[Candidate], max_iterations: int) -> None:
        self._raw = raw
        self._tried = tried
        self._limit = max_iterations
        self._forms: list[PasswordForm] = []
        self._opened_parts = 0
        self._closed_places: list[str] = []
        self._keys: dict[int, bytes] = {}

    def opened(self, armored: bool) -> PfxFile:
        """Open it, or raise the cause that holds."""
        raw = self._raw
        _check_work(self._visible_work(raw.safes), self._limit)
        if raw.mac_problem:
            raise raw.mac_problem
        fitting = self._mac_candidate()
        if fitting is not None:
            self._prefer(fitting)
        bags = [self._bags(safe) for safe in raw.safes]
        _check_work([*self._visible_work(raw.safes), *_hidden_work(raw.safes, bags)], self._limit)
        for found in bags:
            self._decrypt_keys(found or ())
        safes = [_shown_safe(safe, found, self._keys) for safe, found in zip(raw.safes, bags, strict=True)]
        mac = raw.mac.describe(fitting is not None) if raw.mac else None
        pfx = _assembled(raw, safes, mac, self._forms[0] if self._forms else None, armored)
        self._judge(pfx)
        content = replace(pfx.content, notes=pfx.content.notes + self._form_notes())
        ascii_password = not pfx.password_form or self._tried[0].narrow.isascii()
        return replace(pfx, content=content, ascii_password=ascii_password)

    def _visible_work(self, safes: Sequence[RawSafe]) -> list[int]:
        counts = [self._raw.mac.work] if self._raw.mac else []
        counts += [safe.scheme.derivation.work for safe in safes if safe.scheme]
        return counts + [bag.scheme.derivation.work for safe in safes for bag in safe.bags or () if bag.scheme]

    def _mac_candidate(self) -> Candidate | None:
        mac = self._raw.mac
        for index, candidate in enumerate(self._tried if mac else ()):
            if mac is None or any(mac.same_key(candidate, earlier) for earlier in self._tried[:index]):
                continue
            if mac.fits(self._raw.authenticated, candidate):
                return candidate
        return None

    def _prefer(self, candidate: Candidate) -> None:
        self._tried = [candidate, *(other for other in self._tried if other is not candidate)]
        if candidate.form not in self._forms:
            self._forms.append(candidate.form)

    def _decrypt(self, scheme: Scheme, encrypted: bytes, place: str) -> bytes | None:
        for candidate in _distinct(scheme, self._tried):
            plain = scheme.decrypt(encrypted, candidate)
            if plain is not None and (whole := _whole_sequence(plain)) is not None:
                self._opened_parts += 1
                self._prefer_equal(scheme, candidate)
                return whole
        self._closed_places.append(place)
        return None

    def _prefer_equal(self, scheme: Scheme, candidate: Candidate) -> None:
        """Prefer what worked, unless the preferred candidate is the same to this scheme (PBES2 knows no absent one)."""
        if not scheme.same_key(candidate, self._tried[0]) or not self._forms:
            self._prefer(candidate)

    def _bags(self, safe: RawSafe) -> tuple[RawBag, ...] | None:
        if safe.scheme is None:
            return safe.bags
        plain = self._decrypt(safe.scheme, safe.encrypted, safe.place)
        return parse_bags(der.Reader(plain, f"the decrypted {safe.place}"), safe.place) if plain is not None else None

    def _decrypt_keys(self, bags: Sequence[RawBag]) -> None:
        for bag in bags:
            if bag.scheme and (plain := self._decrypt(bag.scheme, bag.value, bag.place)) is not None:
                self._keys[id(bag)] = plain

    def _judge(self, pfx: PfxFile) -> None:
        """Raise when something stayed closed or the MAC does not hold; nothing when all is well."""
        mac_holds = pfx.mac.verified if pfx.mac else None
        if mac_holds is not False and not self._closed_places:
            return
        if mac_holds:
            raise PasswordError(
                f"the password passes the integrity check and does not decrypt {self._closed_places[0]}: "
                "MAC and encryption have different passwords",
                hint="the file was made with two passwords: find out the other one, or have it exported again",
                error_id="EncryptionPasswordDiffers",
            )
        if not self._opened_parts:
            raise self._wrong_password(pfx)
        if self._closed_places:
            raise FormatError(
                f"{self._closed_places[0]} is damaged, or has another password than the rest, which it opens",
                hint="get a fresh copy of the file",
                error_id="Damaged",
            )
        raise self._mac_alone_fails(pfx)

    def _mac_alone_fails(self, pfx: PfxFile) -> FormatError | PasswordError:
        from pkitools.protocol.pkcs12.evidence import first_damage

        damaged = first_damage(pfx.content.keys, pfx.content.certificates)
        if damaged:
            return FormatError(
                f"the file is damaged in {damaged}: the password is right, the integrity check (MAC) fails",
                hint="get a fresh copy of the file",
                error_id="Damaged",
            )
        return PasswordError(
            "the password decrypts everything, but the integrity check (MAC) was made with another password "
            "or is damaged",
            hint="have the file exported again with one password",
            error_id="MacPasswordDiffers",
        )

    def _wrong_password(self, pfx: PfxFile) -> PasswordError:
        if pfx.protected_to is not None:
            who = ", ".join(pfx.protected_to) or "an account or group"
            return PasswordError(
                f"this PFX has no password: Windows protects it to {who} (Export-PfxCertificate -ProtectTo)",
                hint="import it on Windows as a member of that group, or export it again with -Password",
                error_id="SidProtected",
            )
        given = any(c.form is PasswordForm.STANDARD for c in self._tried)
        hint = "" if self._closed_places else "or the file was changed: nothing in it is encrypted, only its MAC fails"
        return PasswordError(
            "wrong password" if given else "the file needs a password", hint=hint, code="ERROR_INVALID_PASSWORD"
        )

    def _form_notes(self) -> tuple[Finding, ...]:
        return tuple(
            _note("PasswordForm", f"the password opened it in the form {form.value}: {FORM_NOTES[form]}")
            for form in self._forms
            if form in FORM_NOTES
        )


def _hidden_work(safes: Sequence[RawSafe], bags: Sequence[tuple[RawBag, ...] | None]) -> list[int]:
    """The iteration counts of shrouded keys that lay inside an encrypted safe."""
    inner = (found for safe, found in zip(safes, bags, strict=True) if safe.scheme)
    return [bag.scheme.derivation.work for found in inner for bag in found or () if bag.scheme]


def _shown_safe(safe: RawSafe, bags: tuple[RawBag, ...] | None, keys: dict[int, bytes]) -> Safe:
    shown = None if bags is None else tuple(_shown_bag(bag, keys) for bag in bags)
    return Safe(safe.content_type, safe.scheme.describe() if safe.scheme else None, shown)


def _shown_bag(bag: RawBag, keys: dict[int, bytes]) -> Bag:
    entry: KeyEntry | CertificateEntry | None = None
    if bag.kind == "Certificate" and bag.type_oid == X509_CERTIFICATE:
        entry = certificate_entry(bag.value, bag.attributes)
    elif bag.kind == "Key":
        entry = key_entry(bag.value, bag.attributes)
    elif id(bag) in keys:
        entry = key_entry(keys[id(bag)], bag.attributes)
    encryption = bag.scheme.describe() if bag.scheme else None
    secret_type = bag.type_oid if bag.kind == "Secret" else None
    crl = bag.value if bag.kind == "Crl" and bag.type_oid == X509_CRL else None
    return Bag(bag.kind, bag.oid, bag.depth, bag.attributes, entry, encryption, secret_type, crl)


def _assembled(raw: RawPfx, safes: list[Safe], mac: Mac | None, form: PasswordForm | None, armored: bool) -> PfxFile:
    bags = [bag for safe in safes for bag in safe.bags or ()]
    plain = [bag for safe in raw.safes for bag in safe.bags or ()]
    content = KeyStoreContent(
        keys=tuple(bag.entry for bag in bags if isinstance(bag.entry, KeyEntry)),
        certificates=tuple(bag.entry for bag in bags if isinstance(bag.entry, CertificateEntry)),
        crls=tuple(bag.crl for bag in bags if bag.crl is not None),
        notes=tuple(_structure_notes(raw, bags, armored)),
    )
    return PfxFile(
        content,
        tuple(safes),
        mac,
        form,
        raw.version,
        raw.ber,
        raw.trailing,
        armored,
        raw.mac_problem.message if raw.mac_problem else None,
        _protected_to(plain),
    )


def _protected_to(bags: Sequence[RawBag]) -> tuple[str, ...] | None:
    """The SIDs in the secret bag of Export-PfxCertificate -ProtectTo, None when there is no such bag."""
    protected = [bag.value for bag in bags if bag.kind == "Secret" and bag.type_oid == PROTECTED_PASSWORD]
    if not protected:
        return None
    return tuple(dict.fromkeys(sid.decode() for value in protected for sid in _SID.findall(value)))


def _structure_notes(raw: RawPfx, bags: Sequence[Bag], armored: bool) -> Iterator[Finding]:
    if armored:
        yield _note("ArmoredPfx", "the PFX stands in PEM or base64 text; most programs want it binary")
    if raw.trailing:
        yield _note("TrailingBytes", f"{raw.trailing} bytes follow the end of the PFX")
    if raw.ber:
        yield _note("BerEncoding", "the PFX is BER, not DER: indefinite lengths or strings in parts")
    if raw.version != 3:
        yield _note("PfxVersion", f"the PFX says version {raw.version}, not 3")
    for bag in bags:
        if bag.kind in ("Secret", "Crl", "Unknown"):
            what = f"a secret of type {bag.secret_type}" if bag.kind == "Secret" else f"a bag of type {bag.oid}"
            yield _note("SkippedBag", f"{what} is neither key nor certificate and stays behind")
        elif bag.kind == "Certificate" and bag.entry is None:
            yield _note("SkippedBag", "a certificate that is not X.509 (SDSI) stays behind")
