"""A second opinion: the strict RFC 5280 and CA/Browser Forum verification of ``cryptography.x509.verification``.

It cannot be the judge: it says yes or one reason for no, refuses what Windows accepts (common names, any purpose,
SHA-1, missing key identifiers), and knows neither CRLs nor policies. What it refuses where Windows does not is what
browsers and other TLS libraries are likely to refuse, and is told as a note.
"""

from __future__ import annotations

import ipaddress
import re
from datetime import datetime

from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from pkitools.errors import InputError
from pkitools.models.certificate import NameKind
from pkitools.protocol.foreign import means_unreadable
from pkitools.protocol.oid_names import EXTENSIONS
from pkitools.trust.names import ascii_name
from pkitools.trust.paths import Path

_OID = re.compile(r"\b\d+(?:\.\d+){3,}\b")


def strict_refusal(path: Path, name: str | None, now: datetime) -> str | None:
    """Why strict verification of a server's path fails, None when it succeeds or cannot be asked.

    Without ``name`` the first name of the certificate is taken, since the verification wants one.
    """
    leaf, *above = [link.member for link in path.links]
    if not path.trusted or not above:
        return None
    names = [name] if name else [*leaf.model.names(NameKind.DNS), *leaf.model.names(NameKind.IP)]
    try:
        subject = _subject(names[0].replace("*", "x")) if names else None
        if subject is None:
            return None
        leaf_certificate, *others = [x509.load_der_x509_certificate(item.der) for item in (leaf, *above)]
        builder = PolicyBuilder().store(Store([others[-1]])).time(now.replace(tzinfo=None)).max_chain_depth(16)
        builder.build_server_verifier(subject).verify(leaf_certificate, others[:-1])
    except VerificationError as error:
        return _reason(error)
    except InputError:
        return "the name is not in the form of RFC 5280"
    except BaseException as error:
        if not means_unreadable(error):
            raise
        return "a certificate or the name is not in the form of RFC 5280"
    return None


def _subject(name: str) -> x509.DNSName | x509.IPAddress:
    plain = ascii_name(name)
    try:
        return x509.IPAddress(ipaddress.ip_address(plain))
    except ValueError:
        return x509.DNSName(plain)


def _reason(error: VerificationError) -> str:
    text = str(error).partition(" (encountered processing")[0]
    for prefix in ("validation failed: ", "candidates exhausted: ", "invalid extension: "):
        text = text.removeprefix(prefix)
    return _OID.sub(lambda match: EXTENSIONS.get(match[0], match[0]), text).replace("\n", " ")[:200]
