"""PFX to PEM and back: read everything, find what belongs together, lay it out, write it all or not at all."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pkitools.errors import FormatError, InputError, PkiToolsError
from pkitools.files.reading import read_capped
from pkitools.files.writing import PRIVATE, PUBLIC, NewFile, write_group
from pkitools.keystore.inputs import Source, in_file, merge, read_source
from pkitools.keystore.layouts import RULES, Part, lay_out, lay_out_authorities
from pkitools.keystore.pairing import Pair, Pairing, link, match
from pkitools.keystore.pfx_findings import is_ksp, pfx_findings
from pkitools.keystore.selection import (
    chain_findings,
    choose_pairs,
    key_algorithm,
    key_mismatch,
    left_out_findings,
    only_pair,
    shorten_chain,
    summary,
)
from pkitools.models.conversion import ChainChoice, KeyFormat, Layout, PemFile, PemToPfxResult, PfxToPemResult
from pkitools.models.keystore import KeyEntry, KeySpec, KeyStoreContent
from pkitools.models.outcome import Finding
from pkitools.models.secret import Secret
from pkitools.protocol.formats import sniff
from pkitools.protocol.pkcs12 import Profile, write_pfx
from pkitools.protocol.pkcs12.attributes import display_name
from pkitools.protocol.pkcs12.writing import DEFAULT_ITERATIONS
from pkitools.protocol.private_key import MAX_ITERATIONS

DEFAULT_PROVIDER = "Microsoft Software Key Storage Provider"
PathName = str | os.PathLike[str]
Password = Secret | str | None


@dataclass(frozen=True, slots=True)
class PemOptions:
    """How ``pfx_to_pem`` shall write: the layout, the key's form and the chain (None: as the layout has them), which
    key when there are several, the password of an encrypted key (None: that of the PFX)."""

    layout: Layout = Layout.SINGLE
    key_format: KeyFormat | None = None
    chain: ChainChoice | None = None
    alias: str | None = None
    thumbprint: str | None = None
    key_password: Secret | None = None
    max_iterations: int = MAX_ITERATIONS


@dataclass(frozen=True, slots=True)
class PfxOptions:
    """How ``pem_to_pfx`` shall write. None means: what the input carries, else Windows' default."""

    profile: Profile = Profile.WINDOWS
    friendly_name: str | None = None
    provider: str | None = None
    key_spec: KeySpec | None = None
    machine: bool | None = None
    chain: ChainChoice = ChainChoice.FULL
    alias: str | None = None
    thumbprint: str | None = None
    all_certificates: bool = False
    iterations: int | None = None
    mac_iterations: int | None = None
    max_iterations: int = MAX_ITERATIONS


def pfx_to_pem(
    path: PathName,
    password: Password = None,
    *,
    out: PathName | None = None,
    options: PemOptions | None = None,
    overwrite: bool = False,
) -> PfxToPemResult:
    """Turn a PFX (or any other input with a key) into the PEM files of a layout.

    ``out`` is a folder (existing, or with a trailing ``/``) or a file; None writes nothing: the PEM stands in
    ``files[].data``. Files with a key get mode 0600. Raises FileAccessError, FormatError, PasswordError, InputError;
    then nothing was written.
    """
    choice = options or PemOptions()
    given = _secrets(password)
    name = os.fspath(path)
    data = read_capped(path)
    try:
        result = to_pem(name, data, given, choice)
    except PkiToolsError as error:
        raise in_file(name, error) from error
    if out is None:
        return replace(result, files=_named(result.files, Path(stem_of(name))))
    return write_pem_files(result, out, name, overwrite=overwrite)


def to_pem(name: str, data: bytes, passwords: Sequence[Secret], options: PemOptions) -> PfxToPemResult:
    """As ``pfx_to_pem`` on bytes; each file's ``path`` is only its ending. ``name`` stands in notes."""
    source = read_source(name, data, passwords, max_iterations=options.max_iterations)
    pairing = match(source.content.keys, source.content.certificates)
    if not pairing.keys and not source.is_pfx:
        raise FormatError(
            f"not a PFX but {sniff(data).value}, and there is no private key in it",
            hint="pkitools show tells what the file holds",
            error_id="NotPfx",
        )
    pair = only_pair(choose_pairs(pairing, alias=options.alias, chosen_thumbprint=options.thumbprint))
    return _pem_result(source, pairing, pair, passwords, options)


def _pem_result(
    source: Source, pairing: Pairing, pair: Pair, passwords: Sequence[Secret], options: PemOptions
) -> PfxToPemResult:
    rule = RULES[options.layout]
    choice = options.chain or rule.chain
    chain = shorten_chain(pair.chain, choice)
    key_format = options.key_format or rule.key
    if choice is ChainChoice.ONLY_CA:
        files = lay_out_authorities(chain, plain=rule.plain)
    else:
        key_password = options.key_password or next((one for one in passwords if one), None)
        files = lay_out(options.layout, pair.key, chain, key_format=key_format, password=key_password)
    named = pair.certificate.friendly_name or pair.key.friendly_name
    left_out = left_out_findings(pairing.lone_keys, pairing.others)
    about = summary(pair.certificate)
    return PfxToPemResult(
        subject=about.subject,
        thumbprint=about.thumbprint,
        friendly_name=display_name(named),
        key_algorithm=key_algorithm(pair.key),
        files=files,
        layout=options.layout,
        key_format=key_format,
        chain=tuple(summary(one) for one in chain),
        findings=(*source.content.notes, *chain_findings(pair), *left_out),
    )


def write_pem_files(
    result: PfxToPemResult,
    out: PathName,
    input_name: str,
    *,
    overwrite: bool,
    taken: Collection[str] = (),
    folder_sync: bool = True,
) -> PfxToPemResult:
    """Write the files of a result, all or none; returns it with their paths.

    ``taken`` are real paths that are never overwritten: the inputs, and the outputs for other inputs. ``folder_sync``
    as in ``write_group``. Raises FileAccessError, InputError.
    """
    folder = is_folder(out)
    files = _named(result.files, base_of(out, input_name, folder=folder), exact=None if folder else Path(out))
    source = os.path.realpath(input_name)
    for file in files:
        if (path := os.path.realpath(file.path)) in taken or path == source:
            raise InputError(f"{file.path!r} is an input or was just written, so it is not overwritten")
    if folder:
        make_folder(out)
    key = Part.KEY.value
    write_group(
        [NewFile(file.path, file.data, PRIVATE if key in file.contents else PUBLIC) for file in files],
        overwrite=overwrite,
        folder_sync=folder_sync,
    )
    return replace(result, files=files)


def _named(files: Sequence[PemFile], base: Path, *, exact: Path | None = None) -> tuple[PemFile, ...]:
    """The files with paths for endings: ``base`` with each ending, or ``exact`` when there is one file."""
    if exact is not None and len(files) == 1:
        return (replace(files[0], path=os.fspath(exact)),)
    return tuple(replace(file, path=os.fspath(base.with_name(base.name + file.path))) for file in files)


def is_folder(out: PathName) -> bool:
    """Whether ``-O`` names a folder: one that exists, or a name with a trailing ``/``."""
    return os.fspath(out).endswith(os.sep) or os.path.isdir(out)  # noqa: PTH112 - called for each of many files


def make_folder(out: PathName) -> None:
    """Make the folder of a trailing ``/``, for its owner only. InputError when that fails."""
    if os.path.isdir(out):  # noqa: PTH112 - called for each of many files
        return
    try:
        Path(out).mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make the folder {os.fspath(out)!r}: {error.strerror}") from error


def stem_of(name: str) -> str:
    """The name of an output: that of the input without folder and ending. What is in the file has no say.

    Of ``..pfx`` a dot or two would be left, which is a folder and no name.
    """
    stem = Path(name).stem
    return stem if stem.strip(".") else "certificate"


def base_of(out: PathName, input_name: str, *, folder: bool) -> Path:
    """The path of the outputs without ending: in a folder named by the input, else ``out`` without its ending.

    Raises InputError for an empty ``out``.
    """
    if folder:
        return Path(out) / stem_of(input_name)
    path = Path(out)
    if not path.name:
        raise InputError("the name of the file to write is empty")
    return path.with_name(stem_of(path.name))


def pem_to_pfx(
    inputs: Sequence[PathName],
    password: Password,
    *,
    key: PathName | None = None,
    in_password: Password = None,
    out: PathName | None = None,
    options: PfxOptions | None = None,
    overwrite: bool = False,
) -> PemToPfxResult:
    """Make a PFX of any inputs in any order: certificates, chains, keys, bundles, P7B, other PFX files.

    ``key`` names a file whose key must be the one of a certificate. ``in_password`` opens encrypted inputs (default:
    ``password``). ``out`` None writes nothing: the PFX stands in ``data``. Raises FileAccessError, FormatError,
    PasswordError, InputError; then nothing was written.
    """
    named = [(os.fspath(path), read_capped(path)) for path in inputs]
    key_file = (os.fspath(key), read_capped(key)) if key is not None else None
    new = _secrets(password) or (Secret(""),)
    opening = _secrets(in_password) or new
    result = to_pfx(named, new[0], opening, options or PfxOptions(), key_file=key_file)
    if out is None:
        return result
    return write_pfx_file(result, out, named[0][0] if named else "", overwrite=overwrite, inputs=[n for n, _ in named])


def to_pfx(
    inputs: Sequence[tuple[str, bytes]],
    password: Secret,
    opening: Sequence[Secret],
    options: PfxOptions,
    *,
    key_file: tuple[str, bytes] | None = None,
) -> PemToPfxResult:
    """As ``pem_to_pfx`` on names and bytes. An unprotected PFX among the inputs opens whatever ``opening`` is."""
    tried = (*opening, *(() if Secret("") in opening else (Secret(""),)))
    limit = options.max_iterations
    sources = [_source(name, data, tried, limit) for name, data in inputs]
    keys = [_source(*key_file, tried, limit)] if key_file is not None else []
    merged = merge([*keys, *sources])
    if not (merged.keys or merged.certificates):
        raise InputError("there is no certificate and no key in the inputs", error_id="NoPrivateKey")
    pairing = match((_with_options(one, options) for one in merged.keys), merged.certificates)
    _require_match(keys, pairing)
    pairs = _chosen(pairing, options)
    keep_all = options.all_certificates or all(source.is_pfx for source in sources)
    if not keep_all and not _narrowed(options):
        _refuse_strays((*keys, *sources), pairing)
    content, left_out = _content(pairing, pairs, options, keep_all=keep_all)
    rounds = {
        "iterations": options.iterations or DEFAULT_ITERATIONS[options.profile],
        "mac_iterations": options.mac_iterations or DEFAULT_ITERATIONS[options.profile],
    }
    data = write_pfx(content, password, options.profile, **rounds)
    about_pfx = pfx_findings(content, password, options.profile, **rounds)
    findings = (*merged.notes, *chain_findings(pairs[0]), *left_out, *about_pfx)
    return _pfx_result(content, pairs[0], data, options, findings)


def _source(name: str, data: bytes, passwords: Sequence[Secret], max_iterations: int) -> Source:
    """One of several inputs: an error says which."""
    try:
        return read_source(name, data, passwords, max_iterations=max_iterations)
    except PkiToolsError as error:
        raise in_file(name, error) from error


def _with_options(key: KeyEntry, options: PfxOptions) -> KeyEntry:
    """The key with provider, KeySpec, machine mark and name: an option wins over the input, the input over a default.

    A key that comes with a provider keeps its KeySpec as found, none included.
    """
    provider = options.provider or key.provider or DEFAULT_PROVIDER
    key_spec = options.key_spec
    if key_spec is None:
        key_spec = key.key_spec
        if key_spec is KeySpec.NONE and (options.provider or not key.provider) and not is_ksp(provider):
            key_spec = KeySpec.EXCHANGE
    return replace(
        key,
        provider=provider,
        key_spec=key_spec,
        machine=key.machine if options.machine is None else options.machine,
        friendly_name=key.friendly_name if options.friendly_name is None else options.friendly_name,
    )


def _require_match(key_sources: Sequence[Source], pairing: Pairing) -> None:
    """A key that was named by ``--key`` must fit, whatever else does."""
    paired = {pair.key.pkcs8 for pair in pairing.pairs}
    for source in key_sources:
        if not source.content.keys:
            raise InputError(f"{source.name}: there is no private key in it", error_id="NoPrivateKey")
        lone = [key for key in source.content.keys if key.pkcs8 not in paired]
        if len(lone) == len(source.content.keys) and pairing.certificates:
            raise in_file(source.name, key_mismatch(lone[0], pairing.certificates))


def _refuse_strays(sources: Sequence[Source], pairing: Pairing) -> None:
    """Nothing that was given is lost by accident: a key without a certificate is refused beside one that has one."""
    lone = {key.pkcs8: key for key in pairing.lone_keys}
    for source in sources:
        for key in source.content.keys:
            if key.pkcs8 in lone:
                raise in_file(source.name, key_mismatch(key, pairing.certificates))


def _narrowed(options: PfxOptions) -> bool:
    """Whether the user chose among the keys: the others are left out then."""
    return options.alias is not None or options.thumbprint is not None


def _chosen(pairing: Pairing, options: PfxOptions) -> tuple[Pair, ...]:
    """The pairs to write: all, but one certificate for each key."""
    pairs = choose_pairs(pairing, alias=options.alias, chosen_thumbprint=options.thumbprint)
    if len({pair.key.pkcs8 for pair in pairs}) < len(pairs):
        only_pair(pairs)
    return pairs


def _content(
    pairing: Pairing, pairs: tuple[Pair, ...], options: PfxOptions, *, keep_all: bool
) -> tuple[KeyStoreContent, tuple[Finding, ...]]:
    """What goes into the PFX, and what is said of the rest."""
    if options.chain is ChainChoice.ONLY_CA:
        raise InputError("a PFX without the key's own certificate is no use", hint="--chain full, no-root or leaf")
    shortened = tuple(replace(pair, chain=shorten_chain(pair.chain, options.chain)) for pair in pairs)
    narrowed = _narrowed(options)
    keep = keep_all and not narrowed
    chosen = Pairing(
        keys=tuple(pair.key for pair in shortened) + (pairing.lone_keys if keep else ()),
        certificates=tuple({one.der: one for pair in shortened for one in pair.chain}.values()),
        pairs=shortened,
        lone_keys=pairing.lone_keys if keep else (),
        others=pairing.others if keep else (),
    )
    content = link(chosen)
    if options.friendly_name is not None:
        leaves = {pair.certificate.der for pair in pairs}
        named = (
            replace(one, friendly_name=options.friendly_name) if one.der in leaves else one
            for one in content.certificates
        )
        content = replace(content, certificates=tuple(named))
    rest = () if keep or narrowed else left_out_findings((), pairing.others)
    return content, rest


def _pfx_result(
    content: KeyStoreContent, pair: Pair, data: bytes, options: PfxOptions, findings: tuple[Finding, ...]
) -> PemToPfxResult:
    about = summary(pair.certificate)
    key = content.keys[0]
    return PemToPfxResult(
        subject=about.subject,
        issuer=about.issuer,
        thumbprint=about.thumbprint,
        friendly_name=display_name(content.certificates[0].friendly_name or key.friendly_name),
        not_before=about.not_before,
        not_after=about.not_after,
        has_private_key=True,
        path="",
        profile=options.profile.value,
        key_algorithm=key_algorithm(key),
        provider=display_name(key.provider),
        key_spec=key.key_spec,
        machine=key.machine,
        chain=tuple(summary(one) for one in content.certificates),
        data=data,
        findings=findings,
    )


def write_pfx_file(
    result: PemToPfxResult, out: PathName, input_name: str, *, overwrite: bool, inputs: Sequence[str] = ()
) -> PemToPfxResult:
    """Write the PFX of a result, mode 0600; in a folder it is named by the first input. Raises FileAccessError."""
    folder = is_folder(out)
    path = os.fspath(Path(out) / f"{stem_of(input_name)}.pfx") if folder else os.fspath(out)
    if os.path.realpath(path) in {os.path.realpath(name) for name in inputs} and not overwrite:
        raise InputError(f"{path!r} is an input", hint="--force replaces it with the new PFX")
    if folder:
        make_folder(out)
    write_group((NewFile(path, result.data, PRIVATE),), overwrite=overwrite)
    return replace(result, path=path)


def _secrets(password: Password) -> tuple[Secret, ...]:
    if password is None:
        return ()
    return (password if isinstance(password, Secret) else Secret(password),)
