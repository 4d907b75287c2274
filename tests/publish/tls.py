"""A certificate authority of our own, for services on this machine."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Certificates:
    """An authority and a server certificate for 127.0.0.1, as files in a folder."""

    def __init__(self, folder: Path) -> None:
        self.authority = folder / "authority.pem"
        self._server = folder / "server.pem"
        now = datetime.datetime.now(datetime.timezone.utc)
        day = datetime.timedelta(days=1)
        keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
        names = [
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in ("us", "host")
        ]
        for index, file in enumerate((self.authority, self._server)):
            builder = (
                x509.CertificateBuilder()
                .subject_name(names[index])
                .issuer_name(names[0])
                .public_key(keys[index].public_key())
                .serial_number(x509.random_serial_number())
                .not_valid_before(now - day)
                .not_valid_after(now + day)
                .add_extension(x509.BasicConstraints(ca=not index, path_length=None), critical=True)
            )
            # Python 3.13 and later ask for who signed with what.
            for extension in (
                x509.SubjectKeyIdentifier.from_public_key(keys[index].public_key()),
                x509.AuthorityKeyIdentifier.from_issuer_public_key(keys[0].public_key()),
            ):
                builder = builder.add_extension(extension, critical=False)
            if not index:
                usage = x509.KeyUsage(
                    digital_signature=True,
                    content_commitment=False,
                    key_encipherment=False,
                    data_encipherment=False,
                    key_agreement=False,
                    key_cert_sign=True,
                    crl_sign=True,
                    encipher_only=False,
                    decipher_only=False,
                )
                builder = builder.add_extension(usage, critical=True)
            if index:
                address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
                builder = builder.add_extension(
                    x509.SubjectAlternativeName([address]), critical=False
                )
            certificate = builder.sign(keys[0], hashes.SHA256())
            data = certificate.public_bytes(serialization.Encoding.PEM)
            if index:
                data += keys[1].private_bytes(
                    serialization.Encoding.PEM,
                    serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption(),
                )
            file.write_bytes(data)

    def context(self) -> ssl.SSLContext:
        """What a server needs."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._server)
        return context
