"""The checks of one path (RFC 5280 6.1 and Windows' own rules), each giving issues; no revocation, no host name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from pkitools.errors import FormatError
from pkitools.models.certificate import Certificate, KeyUsage
from pkitools.models.trust import ChainFlag, Origin
from pkitools.protocol.oid_names import ANY_EKU, IKE_INTERMEDIATE, MS_ANY_PURPOSE, named
from pkitools.protocol.oid_names import EKU_NAMES as NAMES
from pkitools.trust.constraints import NameConstraints, names_of, read_name_constraints, violations
from pkitools.trust.issues import Issue, brief, flagged, label, noted, warned
from pkitools.trust.paths import MAX_DEPTH, Path
from pkitools.trust.policies import policy_holds
from pkitools.trust.purposes import Rule
from pkitools.trust.signatures import Proof

# What Windows processes or knows well enough to let pass when it is critical.
KNOWN_EXTENSIONS = frozenset(
    {
        "2.5.29.14",
        "2.5.29.15",
        "2.5.29.16",
        "2.5.29.17",
        "2.5.29.18",
        "2.5.29.19",
        "2.5.29.30",
        "2.5.29.31",
        "2.5.29.32",
        "2.5.29.33",
        "2.5.29.35",
        "2.5.29.36",
        "2.5.29.37",
        "2.5.29.46",
        "2.5.29.54",
        "1.3.6.1.5.5.7.1.1",
        "1.3.6.1.4.1.311.20.2",
        "1.3.6.1.4.1.311.21.1",
        "1.3.6.1.4.1.311.21.7",
        "1.3.6.1.4.1.311.21.10",
        "1.3.6.1.4.1.311.21.11",
        "1.3.6.1.4.1.311.21.12",
    }
)
# Extensions without which a verdict would be a guess.
VITAL_EXTENSIONS = {
    "2.5.29.15": "key_usages",
    "2.5.29.19": "basic_constraints",
    "2.5.29.37": "enhanced_key_usages",
}
WEAK_HASHES = ("md2", "md4", "md5", "sha1")
LEAST_RSA_BITS = 2048
BLOCKED_RSA_BITS = 1024  # KB2661254: Windows blocks RSA keys below 1024 bits
REISSUE = "issue the certificate anew"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a path: the rule of the purpose and the moment."""

    rule: Rule
    now: datetime


def check_path(path: Path, question: Question) -> list[Issue]:
    """Everything that is to be said about a path, the leaf first."""
    issues = [issue for check in _CHECKS for issue in check(path, question)]
    return sorted(issues, key=lambda issue: issue.position)


def _models(path: Path) -> list[Certificate]:
    return [link.member.model for link in path.links]


def _end(path: Path, question: Question) -> Iterator[Issue]:
    last = len(path.links) - 1
    model = path.links[last].member.model
    if path.trusted:
        return
    if path.complete and last == 0:
        yield flagged(
            0,
            ChainFlag.UntrustedRoot,
            "SelfSigned",
            "the certificate is self-signed and not among the trusted roots",
            "get a certificate from a CA that the clients trust (enterprise CA or public)",
        )
    elif path.complete:
        yield flagged(
            last,
            ChainFlag.UntrustedRoot,
            "UntrustedRoot",
            f"the root {brief(model.subject)} is not among the trusted roots",
            "for an enterprise root: get it from http://<CA server>/CertEnroll/, from the directory "
            "(CN=Certification Authorities,CN=Public Key Services) or with 'certutil -ca.cert root.cer' on the CA, "
            "and give it with --ca-file; VPN clients need it in Trusted Root Certification Authorities",
        )
    elif path.cyclic:
        yield flagged(
            last,
            ChainFlag.Cyclic,
            "Cyclic",
            "the issuers of the certificates run in a circle and lead to no root",
            "remove the cross-certificates from what the server sends, and send the intermediates only",
        )
        yield _partial(path, last, model, question)
    else:
        yield _partial(path, last, model, question)


def _partial(path: Path, last: int, model: Certificate, question: Question) -> Issue:
    if len(path.links) >= MAX_DEPTH:
        why = f"the path is longer than {MAX_DEPTH} certificates"
    else:
        why = f"the issuer {brief(model.issuer) or '(no name)'} of {label(model, last)} is missing"
    what = "send the intermediate CA certificates" if question.rule.server else "add the intermediate CA certificates"
    return flagged(
        last,
        ChainFlag.PartialChain,
        "PartialChain",
        f"no path to a root: {why}",
        f"{what}: on Windows, import them into Intermediate Certification Authorities of the computer",
    )


def _missing(path: Path, question: Question) -> Iterator[Issue]:
    if not question.rule.server:
        return
    for index, link in enumerate(path.links[1:], 1):
        if link.origin in (Origin.AIA, Origin.EXTRA, Origin.STORE) and not link.member.self_issued:
            name = brief(link.member.model.subject)
            where = f"AIA ({brief(link.url or '')})" if link.origin is Origin.AIA else "the local files"
            yield warned(
                index,
                "MissingIntermediate",
                f"the server does not send {name}; it came from {where}",
                f"the server must send this certificate: {name}; on Windows, import it into "
                "Intermediate Certification Authorities of the computer and bind the certificate again",
                "CERT_E_CHAINING",
            )


def _signatures(path: Path, question: Question) -> Iterator[Issue]:
    for index, link in enumerate(path.links):
        if link.proof is Proof.GOOD or (path.trusted and index == len(path.links) - 1):
            continue
        name = label(link.member.model, index)
        if link.proof is Proof.BAD:
            message = f"the signature of {name} is wrong: it was changed, or its issuer has another key"
        else:
            algorithm = link.member.model.signature_algorithm
            message = f"the signature of {name} ({algorithm or 'unknown algorithm'}) cannot be checked here"
        step = "make sure that the issuer's current certificate is sent; else " + REISSUE
        yield flagged(index, ChainFlag.NotSignatureValid, "BadSignature", message, step)


def _validity(path: Path, question: Question) -> Iterator[Issue]:
    now = question.now
    for index, model in enumerate(_models(path)):
        name = label(model, index)
        renew = "renew it and bind the new certificate" if index == 0 else "renew the CA certificate and what it signed"
        if model.not_after is None or model.not_before is None:
            message = f"the validity of {name} cannot be read"
            yield flagged(index, ChainFlag.NotTimeValid, "BrokenValidity", message, REISSUE)
        elif now > model.not_after:
            days = (now - model.not_after).days
            message = f"{name} expired on {model.not_after:%Y-%m-%d} ({days} days ago)"
            yield flagged(index, ChainFlag.NotTimeValid, "Expired", message, renew)
        elif now < model.not_before:
            message = f"{name} is not valid before {model.not_before:%Y-%m-%d %H:%M} UTC"
            step = "check the clock of this machine and of the CA; else wait"
            yield flagged(index, ChainFlag.NotTimeValid, "NotYetValid", message, step)


def _nesting(path: Path, question: Question) -> Iterator[Issue]:
    """Windows does not check nesting any more; but a chain ends when its first member does."""
    models = _models(path)
    for index, (child, parent) in enumerate(pairwise(models)):
        if child.not_after and parent.not_after and parent.not_after < child.not_after:
            message = f"{label(child, index)} would be valid longer than its CA, which ends {parent.not_after:%Y-%m-%d}"
            yield noted(index, "OutlivesIssuer", message, "renew the CA in time", "CERT_E_VALIDITYPERIODNESTING")


def _authorities(path: Path, question: Question) -> Iterator[Issue]:
    """Basic constraints, path length and key usage of the issuers (RFC 5280 6.1.4 (k) to (n))."""
    below = 0
    for index, link in enumerate(path.links[1:], 1):
        model = link.member.model
        constraints, name = model.basic_constraints, label(model, index)
        anchor = path.trusted and index == len(path.links) - 1
        if (constraints is None and not (anchor and model.version < 3)) or (
            constraints is not None and not constraints.certificate_authority
        ):
            message = f"{name} is no CA: its basic constraints do not allow it to issue certificates"
            yield flagged(index, ChainFlag.InvalidBasicConstraints, "NotACa", message, "do not issue from it")
        elif constraints is not None and constraints.path_length_constraint is not None:
            limit = constraints.path_length_constraint
            if below > limit:
                message = f"{name} allows {limit} CA certificates below it, and there are {below}"
                step = "issue from a CA that is higher up, or renew the CA without the limit"
                yield flagged(index, ChainFlag.InvalidBasicConstraints, "PathLength", message, step)
        if model.key_usages is not None and KeyUsage.KeyCertSign not in model.key_usages:
            message = f"{name} may not sign certificates: its key usage lacks certificate signing"
            yield flagged(index, ChainFlag.NotValidForUsage, "CaKeyUsage", message, "do not issue from it")
        below += not link.member.self_issued


def _usages(path: Path, question: Question) -> Iterator[Issue]:
    """Extended key usage over the whole path, as Windows nests it."""
    wanted, rule = question.rule.usage, question.rule
    for index, model in enumerate(_models(path)):
        usages = model.enhanced_key_usages
        if usages is None and model.extension("2.5.29.37") is None:
            usages = model.application_policies
        if usages is None:
            continue
        held = {oid.value for oid in usages}
        if wanted not in held and not held & {ANY_EKU, MS_ANY_PURPOSE}:
            name = label(model, index)
            listed = brief(", ".join(map(str, usages[:8]))) or "none"
            message = f"{name} may not be used for {rule.kind}: its extended key usage is {listed}"
            step = f"{REISSUE} with {named(wanted, NAMES)} ({wanted})"
            if index:
                step = (
                    f"issue from a CA without this constraint, or whose extended key usage has {named(wanted, NAMES)}"
                )
            yield flagged(
                index, ChainFlag.NotValidForUsage, "WrongUsage" if index == 0 else "CaWrongUsage", message, step
            )
    yield from _leaf_usage(path.links[0].member.model, rule)


def _leaf_usage(leaf: Certificate, rule: Rule) -> Iterator[Issue]:
    usages = leaf.enhanced_key_usages
    purpose = str(named(rule.usage, NAMES))
    if usages is None:
        if leaf.extension("2.5.29.37") is None and leaf.application_policies is None:
            message = "the certificate has no extended key usage: good for any use to Windows, refused by others"
            yield warned(0, "NoUsageExtension", message, f"{REISSUE} with {purpose}")
        return
    held = {oid.value for oid in usages}
    if rule.usage not in held and held & {ANY_EKU, MS_ANY_PURPOSE}:
        message = "the certificate is for any purpose instead of naming its own: other software may refuse it"
        yield warned(0, "AnyPurpose", message, f"{REISSUE} with {purpose}")
    if rule.usage in held and rule.server and IKE_INTERMEDIATE in held:
        yield noted(0, "IkeUsage", "the certificate is also for IKE intermediate, which is what RRAS prefers for IKEv2")
    if rule.advised and rule.usage in held and rule.advised not in held:
        message = f"the certificate lacks {named(rule.advised, NAMES)}, by which RRAS picks among several certificates"
        yield noted(0, "NoIkeUsage", message, f"add {rule.advised} when the server has more than one certificate")


def _leaf_key_usage(path: Path, question: Question) -> Iterator[Issue]:
    usages = path.links[0].member.model.key_usages
    signing = {KeyUsage.DigitalSignature, KeyUsage.KeyEncipherment, KeyUsage.KeyAgreement}
    if usages is not None and not signing & set(usages):
        message = "the key usage allows neither digital signature nor key encipherment: TLS and IKE peers may refuse it"
        yield warned(0, "KeyUsage", message, f"{REISSUE} with digital signature and key encipherment")
    elif usages is not None and KeyUsage.DigitalSignature not in usages:
        message = "the key usage lacks digital signature, which TLS 1.3, ECDHE and IKEv2 need; others will refuse it"
        yield warned(0, "KeyUsage", message, f"{REISSUE} with digital signature")


def _extensions(path: Path, question: Question) -> Iterator[Issue]:
    for index, model in enumerate(_models(path)):
        name = label(model, index)
        for extension in model.extensions:
            oid = extension.oid.value
            if extension.critical and oid not in KNOWN_EXTENSIONS:
                message = f"{name} has a critical extension that Windows does not know: {oid}"
                step = f"{REISSUE} without it"
                yield flagged(index, ChainFlag.HasNotSupportedCriticalExtension, "CriticalExtension", message, step)
            elif oid in VITAL_EXTENSIONS and getattr(model, VITAL_EXTENSIONS[oid]) is None:
                message = f"the extension {extension.oid} of {name} cannot be read"
                yield flagged(index, ChainFlag.InvalidExtension, "BrokenExtension", message, REISSUE)
        twice = [defect for defect in model.defects if "twice" in defect]
        if twice:
            yield flagged(index, ChainFlag.InvalidExtension, "BrokenExtension", f"in {name} {twice[0]}", REISSUE)
        elif model.defects:
            yield warned(index, "Malformed", f"{name} is malformed: {model.defects[0]}", REISSUE)


def _strength(path: Path, question: Question) -> Iterator[Issue]:
    code = "CERTSRV_E_WEAK_SIGNATURE_OR_KEY"
    for index, link in enumerate(path.links):
        model, name = link.member.model, label(link.member.model, index)
        bits = model.key_size or LEAST_RSA_BITS
        if model.key_algorithm.friendly_name.startswith("RSA") and bits < BLOCKED_RSA_BITS:
            message = f"the RSA key of {name} has {bits} bits: Windows blocks keys below 1024 bits"
            yield flagged(index, ChainFlag.HasWeakSignature, "WeakKey", message, f"{REISSUE} with RSA 2048 or P-256")
        elif model.key_algorithm.friendly_name.startswith("RSA") and bits < LEAST_RSA_BITS:
            message = f"the RSA key of {name} has only {bits} bits"
            yield warned(index, "WeakKey", message, f"{REISSUE} with RSA 2048 or P-256", code)
        if model.signature_hash in WEAK_HASHES and not (link.member.self_issued and index == len(path.links) - 1 > 0):
            message = f"{name} is signed with {model.signature_hash.upper()}, which can be forged"
            step = "let the CA sign with SHA-256 (certutil -setreg ca\\csp\\CNGHashAlgorithm SHA256) and " + REISSUE
            yield warned(index, "WeakHash", message, step, code)


def _name_constraints(path: Path, question: Question) -> Iterator[Issue]:
    for above in range(1, len(path.links)):
        member = path.links[above].member
        try:
            constraints = read_name_constraints(member)
        except FormatError:
            message = f"the name constraints of {label(member.model, above)} cannot be read"
            yield flagged(above, ChainFlag.InvalidNameConstraints, "BrokenNameConstraints", message, REISSUE)
            continue
        if constraints is not None:
            yield from _constrained(path, above, constraints)


_CONSTRAINT_WORDS = {
    ChainFlag.HasExcludedNameConstraint: ("NameExcluded", "is excluded by"),
    ChainFlag.HasNotPermittedNameConstraint: ("NameNotPermitted", "is not permitted by"),
    ChainFlag.HasNotSupportedNameConstraint: ("NameConstraintNotSupported", "cannot be held against"),
}


def _constrained(path: Path, above: int, constraints: NameConstraints) -> Iterator[Issue]:
    ca = label(path.links[above].member.model, above)
    for index in range(above):
        member = path.links[index].member
        if index and member.self_issued:
            continue
        try:
            names = names_of(member, common_name=index == 0)
        except FormatError:
            continue  # the extension is reported as broken already
        for violation in list(violations(constraints, names))[:5]:
            identifier, words = _CONSTRAINT_WORDS[violation.flag]
            message = (
                f"the name {brief(violation.name)} of {label(member.model, index)} {words} the name constraints of {ca}"
            )
            step = "issue from a CA that may certify this name"
            yield flagged(index, violation.flag, identifier, message, step)


def _policies(path: Path, question: Question) -> Iterator[Issue]:
    members = [link.member for link in path.links]
    below_root = members[:-1] if path.complete and len(members) > 1 else members
    step = "issue from a CA that asserts the required issuance policy"
    try:
        if not policy_holds(below_root[::-1]):
            message = "a CA of the path requires an issuance policy that the certificates below it do not assert"
            yield flagged(0, ChainFlag.InvalidPolicyConstraints, "PolicyMissing", message, step)
    except FormatError:
        message = "a policy extension of the path cannot be read"
        yield flagged(0, ChainFlag.InvalidPolicyConstraints, "PolicyBroken", message, REISSUE)


_CHECKS: tuple[Callable[[Path, Question], Iterator[Issue]], ...] = (
    _end,
    _missing,
    _signatures,
    _validity,
    _nesting,
    _authorities,
    _usages,
    _leaf_key_usage,
    _extensions,
    _strength,
    _name_constraints,
    _policies,
)
