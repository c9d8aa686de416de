"""Choosing the key and certificate that are meant, and how much of the chain; each refusal names its cause."""

from __future__ import annotations

import hashlib
import string
from collections.abc import Sequence

from pkitools.errors import FormatError, InputError
from pkitools.keystore.pairing import (
    Pair,
    Pairing,
    certificate_key_fingerprint,
    key_fingerprint,
    public_key_of,
    thumbprint,
)
from pkitools.models.conversion import CertificateSummary, ChainChoice
from pkitools.models.keystore import CertificateEntry, KeyEntry
from pkitools.models.outcome import Finding, Severity, finding
from pkitools.protocol.pkcs12.attributes import display_name
from pkitools.protocol.private_key import algorithm_name, split_key
from pkitools.protocol.x509 import read_certificate, split_certificate

_LISTED = 20
_SHA1_DIGITS, _SHA256_DIGITS = 40, 64


def choose_pairs(
    pairing: Pairing, *, alias: str | None = None, chosen_thumbprint: str | None = None
) -> tuple[Pair, ...]:
    """The pairs that alias (friendly name, any case) and thumbprint (SHA-1 or SHA-256) name; all pairs without them.

    Raises FormatError (NoPrivateKey, NoCertificate, KeyMismatch) when there is no pair at all, InputError (NoSuchKey)
    when none is the one named.
    """
    if not pairing.pairs:
        raise _no_pair(pairing)
    pairs = pairing.pairs
    if chosen_thumbprint is not None:
        wanted = _hex_digits(chosen_thumbprint)
        pairs = tuple(pair for pair in pairs if wanted in _thumbprints(pair.certificate.der))
    if alias is not None:
        pairs = tuple(pair for pair in pairs if alias.casefold() in _aliases(pair))
    if not pairs:
        raise InputError(
            f"no key with this {'alias' if chosen_thumbprint is None else 'thumbprint'}; "
            f"there {_listed(pairing.pairs)}",
            error_id="NoSuchKey",
        )
    return pairs


def only_pair(pairs: Sequence[Pair]) -> Pair:
    """The one pair. InputError (SeveralKeys) when there are more, with all of them listed."""
    if len(pairs) == 1:
        return pairs[0]
    several = "keys" if len({public_key_of(pair.key.pkcs8) for pair in pairs}) > 1 else "certificates for one key"
    raise InputError(
        f"the file holds {len(pairs)} {several}: there {_listed(pairs)}",
        hint="choose one with --thumbprint or --alias",
        error_id="SeveralKeys",
    )


def shorten_chain(chain: Sequence[CertificateEntry], choice: ChainChoice) -> tuple[CertificateEntry, ...]:
    """The part of a chain (leaf first) that is asked for. A self-signed leaf is no root to leave out."""
    if choice is ChainChoice.LEAF:
        return tuple(chain[:1])
    if choice is ChainChoice.ONLY_CA:
        return tuple(chain[1:])
    if choice is ChainChoice.NO_ROOT and len(chain) > 1 and is_self_issued(chain[-1].der):
        return tuple(chain[:-1])
    return tuple(chain)


def is_self_issued(certificate: bytes) -> bool:
    """Whether subject and issuer are the same name."""
    parts = split_certificate(certificate)
    return parts.subject == parts.issuer


def chain_findings(pair: Pair) -> tuple[Finding, ...]:
    """A note when the chain ends below a root."""
    last = pair.chain[-1].der
    if is_self_issued(last):
        return ()
    issuer = read_certificate(last).issuer
    return (finding(Severity.NOTE, "ChainIncomplete", f"the certificate of {issuer!r} is not among the inputs"),)


def left_out_findings(keys: Sequence[KeyEntry], certificates: Sequence[CertificateEntry]) -> tuple[Finding, ...]:
    """What is said of keys without a certificate and of certificates outside the chain, when they are left out."""
    found = [
        finding(
            Severity.WARNING,
            "KeyLeftOut",
            f"the {_key_text(key)} matches no certificate and was left out",
            "was the wrong key file given?",
        )
        for key in keys
    ]
    if certificates:
        names = ", ".join(summary(one).subject for one in certificates[:3]) + (", ..." if len(certificates) > 3 else "")
        text = f"{len(certificates)} certificate(s) outside the chain were left out: {names}"
        found.append(finding(Severity.NOTE, "CertificatesLeftOut", text))
    return tuple(found)


def summary(entry: CertificateEntry) -> CertificateSummary:
    """A certificate in short."""
    certificate = read_certificate(entry.der)
    return CertificateSummary(
        certificate.subject,
        certificate.issuer,
        thumbprint(entry.der),
        certificate.not_before,
        certificate.not_after,
        display_name(entry.friendly_name),
    )


def key_algorithm(key: KeyEntry) -> str:
    """The algorithm's name: ``RSA``, ``RSASSA-PSS``, ``EC``; the OID where it has none here."""
    return algorithm_name(split_key(key.pkcs8)[0])


def _no_pair(pairing: Pairing) -> FormatError:
    if not pairing.keys:
        return FormatError(
            "there is no private key in it", hint="pkitools show tells what the file holds", error_id="NoPrivateKey"
        )
    if not pairing.certificates:
        return FormatError("there is a private key but no certificate", error_id="NoCertificate")
    return key_mismatch(pairing.lone_keys[0], pairing.certificates)


def key_mismatch(key: KeyEntry, certificates: Sequence[CertificateEntry]) -> FormatError:
    """The refusal of a key that no certificate is for, with the fingerprints of both sides."""
    text = f"the {_key_text(key)} matches no certificate: "
    text += "; ".join(_certificate_text(one) for one in certificates[:3])
    return FormatError(
        text + ("; ..." if len(certificates) > 3 else ""),
        hint="the fingerprints are SHA-256 of the public keys; is this the key that the request was made with? "
        "--thumbprint chooses among several keys",
        error_id="KeyMismatch",
    )


def _key_text(key: KeyEntry) -> str:
    """Raises FormatError when the key is damaged or of a type that nobody here can read."""
    return f"{key_algorithm(key)} private key (public key {key_fingerprint(key.pkcs8)})"


def _certificate_text(entry: CertificateEntry) -> str:
    return f"{summary(entry).subject!r} has the public key {certificate_key_fingerprint(entry.der)}"


def _listed(pairs: Sequence[Pair]) -> str:
    texts = []
    for pair in pairs[:_LISTED]:
        name = display_name(pair.key.friendly_name) or display_name(pair.certificate.friendly_name)
        about = summary(pair.certificate)
        alias = f", alias {name!r}" if name else ""
        until = f", until {about.not_after:%Y-%m-%d}" if about.not_after else ""
        texts.append(f"{about.thumbprint} ({about.subject}{until}{alias})")
    return ("is " if len(pairs) == 1 else "are ") + "; ".join(texts) + ("; ..." if len(pairs) > _LISTED else "")


def _aliases(pair: Pair) -> set[str]:
    names = (display_name(pair.key.friendly_name), display_name(pair.certificate.friendly_name))
    return {name.casefold() for name in names if name}


def _thumbprints(certificate: bytes) -> tuple[str, str]:
    return thumbprint(certificate), hashlib.sha256(certificate).hexdigest().upper()


def _hex_digits(text: str) -> str:
    """A thumbprint as people paste it: with blanks, colons, or the invisible mark that Windows puts in front."""
    digits = "".join(character for character in text if character in string.hexdigits).upper()
    if len(digits) not in (_SHA1_DIGITS, _SHA256_DIGITS):
        raise InputError(f"{text!r} is no thumbprint: 40 (SHA-1) or 64 (SHA-256) hex digits are")
    return digits
