"""Key and certificate of ``manifest-dev-tool init``: imported, kept, or made.

What devices may already trust is never lost: another key or certificate needs ``--replace-key``,
and then the old ones stay under numbered names.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from pathlib import Path

from fotabuild.cli.dropin.environment import passphrase_source
from fotabuild.cli.dropin.log import Log
from fotabuild.config.dev_cache import DevCache, DevConfig
from fotabuild.errors import FotabuildError, OutputConflictError, in_file
from fotabuild.files.dates import build_time
from fotabuild.files.names import same_file
from fotabuild.files.reading import read_file
from fotabuild.files.writing import OutputSet
from fotabuild.keys.backup import keep_old
from fotabuild.limits import READ_LIMITS
from fotabuild.signing.certificate import (
    make_self_signed,
    public_key_of,
    read_certificate,
    require_pair,
)
from fotabuild.signing.pem import PemSigner


@dataclass
class Credentials:
    """What ``init`` goes on with.

    Attributes:
        certificate: the update certificate, DER.
        config: where key and certificate are; without ids where they are new.
        used: files elsewhere that hold them, and that no output may replace.
        replaced: files that must be kept under another name before the outputs are written.
    """

    certificate: bytes
    config: DevConfig
    used: list[Path] = field(default_factory=list)
    replaced: list[Path] = field(default_factory=list)

    def keep_replaced(self, log: Log) -> None:
        """Keep what will be replaced; called when nothing but writing can fail any more."""
        for path in self.replaced:
            data = read_file(path, READ_LIMITS.config, "old file")
            log.info(f"{path} is kept as {keep_old(path, data, private=True)}")


def find_credentials(
    args: argparse.Namespace, cache: DevCache, known: DevConfig | None, outputs: OutputSet, log: Log
) -> Credentials:
    """Import the given pair, keep the one that is known, or make one.

    Raises:
        OutputConflictError: devices may trust what is there, and nobody said to replace it.
        SigningError: key or certificate cannot be used, or they are no pair.
    """
    if args.key is not None:
        return _import(args, cache, outputs, log)
    if known is not None and not args.replace_key:
        return _keep(cache, known, log)
    return _generate(args, cache, outputs, log)


def _import(args: argparse.Namespace, cache: DevCache, outputs: OutputSet, log: Log) -> Credentials:
    certificate = read_certificate(args.update_certificate)
    with in_file(args.update_certificate):
        public_key = public_key_of(certificate)
    if args.signing_tool is not None:
        config = _config(cache, key_file=args.key, signing_tool=args.signing_tool)
        result = Credentials(certificate, config, [args.update_certificate])
    else:
        path = Path(args.key)
        result = Credentials(certificate, _config(cache), [args.update_certificate, path])
        require_pair(
            public_key,
            PemSigner.open(path, passphrase_source()).public_key(),
            args.update_certificate,
        )
        if not same_file(path, cache.key):
            if not _holds_key(cache.key, public_key):
                _replace(cache.key, args, result)
            key = read_file(path, READ_LIMITS.key, "private key")
            outputs.add(cache.key, key, private=True, only_new=not cache.key.exists())
    if not same_file(args.update_certificate, cache.certificate):
        if not _holds_certificate(cache.certificate, certificate):
            _replace(cache.certificate, args, result)
        outputs.add(cache.certificate, certificate, keep_unchanged=True)
    log.info("dev-credentials - imported")
    return result


def _keep(cache: DevCache, known: DevConfig, log: Log) -> Credentials:
    path = cache.certificate_file(known)
    certificate = read_certificate(path)
    with in_file(path):
        public_key = public_key_of(certificate)
    used = [path]
    if known.signing_tool is None:
        source = passphrase_source()
        key = cache.key_file(known, source)
        require_pair(public_key, PemSigner.open(key, source).public_key(), path)
        used.append(key)
    log.info("dev-credentials - kept: devices that hold the certificate refuse any other")
    return Credentials(certificate, known, used)


def _generate(
    args: argparse.Namespace, cache: DevCache, outputs: OutputSet, log: Log
) -> Credentials:
    result = Credentials(b"", _config(cache))
    for path in (cache.key, cache.certificate):
        if path.exists() and not args.replace_key:
            raise OutputConflictError(
                "this is here and no configuration beside it",
                file=path,
                remedy="import the pair with --key and --update-certificate, and the ids of your "
                "devices with --vendor-id and --class-id, or use --replace-key",
            )
        if path.exists():
            result.replaced.append(path)
    log.info("generating dev-credentials")
    signer = PemSigner.generate()
    result.certificate = make_self_signed(signer.to_pem(), build_time())
    new = not args.replace_key
    outputs.add(cache.key, signer.to_pem(), private=True, only_new=new)
    outputs.add(cache.certificate, result.certificate, only_new=new)
    return result


def _config(cache: DevCache, **changes: str | None) -> DevConfig:
    """Return a configuration that names the copies in the cache folder; ids come later."""
    values = {"certificate": cache.certificate.as_posix(), "key_file": cache.key.as_posix()}
    return DevConfig(**{**values, **changes}, class_id="", vendor_id="")  # type: ignore[arg-type]


def _replace(path: Path, args: argparse.Namespace, result: Credentials) -> None:
    """Plan to replace a file by another key or certificate."""
    if not path.exists():
        return
    if not args.replace_key:
        raise OutputConflictError(
            "another one is here, which devices may already trust",
            file=path,
            remedy="use --replace-key to replace it; it is kept under another name",
        )
    result.replaced.append(path)


def _holds_key(path: Path, public_key: bytes) -> bool:
    try:
        return PemSigner.open(path, passphrase_source()).public_key() == public_key
    except FotabuildError:  # None, or one that we cannot open: somebody else's.
        return False


def _holds_certificate(path: Path, certificate: bytes) -> bool:
    try:
        return read_certificate(path) == certificate
    except FotabuildError:
        return False
