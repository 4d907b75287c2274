"""``fotabuild keys rotate``: a new key, knowing what that does to devices.

The update client stores certificate and public key while it has none, and keeps them from then on
(update-resources-c, section 3). A new certificate in a rebuilt firmware changes nothing on a device
that holds one: it goes on refusing what the new key signs until its storage is erased.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fotabuild.config.kept_files import key_access
from fotabuild.config.loader import LoadedConfig
from fotabuild.errors import ConfigError, KeyRotationError
from fotabuild.files.dates import build_time
from fotabuild.files.reading import read_file
from fotabuild.files.writing import OutputSet
from fotabuild.keys.backup import keep_old
from fotabuild.limits import READ_LIMITS
from fotabuild.plan.field_releases import releases_in_field
from fotabuild.signing.certificate import in_form_of, make_self_signed
from fotabuild.signing.pem import PemSigner, is_encrypted
from fotabuild.signing.secret import read_secret
from fotabuild.signing.signer import key_file

CONSEQUENCE = (
    "Devices keep the certificate that they were provisioned with: a new one in a later firmware "
    "changes nothing until their storage is erased. They will refuse every update that the new key "
    "signs, and can be updated only with the old one."
)
FLAG = "--lock-out-devices"


@dataclass(frozen=True)
class Rotation:
    """The files of a rotation: new key and certificate, and where the old ones are kept."""

    key: Path
    certificate: Path
    old_key: Path
    old_certificate: Path


def rotate_key(config: LoadedConfig, *, lock_out_devices: bool) -> Rotation:
    """Replace key and certificate by new ones; the old ones are kept under free names.

    Raises:
        KeyRotationError: nobody said that devices may be locked out, or releases are in the field.
        ConfigError: the project has no key in a file, or no certificate.
        SigningError: the old key cannot be opened.
    """
    credentials = config.project.credentials
    access = key_access(credentials)
    key = credentials.key and key_file(credentials.key, access)
    if not key or credentials.certificate is None:
        raise ConfigError(
            "only a key in a file, with its certificate, can be replaced here",
            field="credentials.key",
            remedy="make keys of tokens and signing tools with their own programs",
        )
    certificate = Path(credentials.certificate)
    releases = len(releases_in_field(config).releases)
    if releases:
        raise KeyRotationError(
            f"{releases} release{' is' if releases == 1 else 's are'} in the field, and the "
            "devices would refuse every update that the new key signs",
            field="releases",
            remedy="keep the key; or, once no device holds its certificate, empty releases first",
        )
    if not lock_out_devices:
        raise KeyRotationError(
            "devices that hold the old certificate would refuse every update that the new key "
            "signs, until their storage is erased",
            file=key,
            remedy=f"say {FLAG} if there are none, or if that is what you want",
        )
    old_pem = read_file(key, READ_LIMITS.key, "private key")
    # A key that does not open is not understood well enough to be replaced.
    PemSigner.open(key, access.passphrase)
    secret = None
    if access.passphrase is not None and is_encrypted(old_pem):
        secret = read_secret(access.passphrase, "passphrase")
    old_certificate_file = read_file(certificate, READ_LIMITS.key, "update certificate")
    new = PemSigner.generate()
    new_der = make_self_signed(new.to_pem(), build_time())
    outputs = OutputSet()
    outputs.add(key, new.to_pem(secret), private=True)
    outputs.add(certificate, in_form_of(old_certificate_file, new_der))
    # Both are safe under their new names before anything is replaced.
    old_key = keep_old(key, old_pem, private=True)
    old_certificate = keep_old(certificate, old_certificate_file, private=False)
    outputs.commit()
    return Rotation(key, certificate, old_key, old_certificate)
