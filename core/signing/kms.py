"""Keys in AWS KMS: the digest goes there, a signature comes back.

Credentials are the matter of AWS's own library: it finds them in variables, profiles or the machine
that a build runs on. Nothing of them passes through here, and messages of that library are not
passed on; they are told by the names of their errors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fotabuild.digest import sha256
from fotabuild.errors import CloudKeyError
from fotabuild.signing.foreign_signature import raw_from_der
from fotabuild.signing.kms_uri import KmsUri

_ALGORITHM = "ECDSA_SHA_256"
_SECONDS_TO_CONNECT = 5
_SECONDS_TO_ANSWER = 15
_ATTEMPTS = 3
_BUSY = ("AWS KMS is busy or does not answer", "try again")
_CREDENTIALS = (
    "AWS refuses these credentials",
    "log in again, or correct AWS_PROFILE or AWS_ACCESS_KEY_ID",
)
_NONE = ("there are no AWS credentials", "set AWS_PROFILE or AWS_ACCESS_KEY_ID, or log in")
_USE = ("this key does not sign", "devices need one with ECC_NIST_P256 and SIGN_VERIFY")
_STATE = ("the state of this key allows no signature", "is it pending deletion or import?")
_NO_ANSWER = ("AWS KMS cannot be reached", "is the region right, and the network there?")
#: What is wrong and what to do, by the error code of the service or the error class of its library.
_PROBLEMS = {
    "NotFoundException": ("there is no such key", "is it in this region and account?"),
    "DisabledException": ("this key is disabled", "enable it"),
    "KMSInvalidStateException": _STATE,
    "InvalidKeyUsageException": _USE,
    "UnsupportedOperationException": _USE,
    "AccessDeniedException": (
        "these credentials may not use this key",
        "allow kms:GetPublicKey and kms:Sign",
    ),
    "ThrottlingException": _BUSY,
    "LimitExceededException": _BUSY,
    "KeyUnavailableException": _BUSY,
    "KMSInternalException": _BUSY,
    "DependencyTimeoutException": _BUSY,
    "UnrecognizedClientException": _CREDENTIALS,
    "InvalidClientTokenId": _CREDENTIALS,
    "InvalidSignatureException": _CREDENTIALS,
    "IncompleteSignature": _CREDENTIALS,
    "ExpiredTokenException": _CREDENTIALS,
    "NoCredentialsError": _NONE,
    "PartialCredentialsError": _NONE,
    "CredentialRetrievalError": _NONE,
    "UnauthorizedSSOTokenError": _NONE,
    "SSOTokenLoadError": _NONE,
    "TokenRetrievalError": _NONE,
    "ProfileNotFound": ("there is no such AWS profile", "correct AWS_PROFILE"),
    "NoRegionError": (
        "no AWS region is given",
        "add ?region=NAME to the key, or set AWS_DEFAULT_REGION",
    ),
    "EndpointConnectionError": _NO_ANSWER,
    "ConnectTimeoutError": _NO_ANSWER,
    "ReadTimeoutError": _NO_ANSWER,
    "ConnectionClosedError": _NO_ANSWER,
    "SSLError": ("the connection to AWS KMS is not secure", "whose certificate answers there?"),
}


class KmsSigner:
    """A P-256 key in AWS KMS, which never leaves it.

    Args:
        uri: which key.
    """

    def __init__(self, uri: KmsUri) -> None:
        self._uri = uri
        self._client = self._explained(self._connect)
        self._public_key = self._find_public_key()

    @classmethod
    def open(cls, uri: str) -> KmsSigner:
        """Find the key that an ``awskms:`` URI names.

        Raises:
            CloudKeyError: no library, no credentials, no such key, or one that cannot sign for
                devices.
        """
        return cls(KmsUri.parse(uri))

    def public_key(self) -> bytes:
        """Return the public key, 65 bytes, an uncompressed point."""
        return self._public_key

    def sign(self, data: bytes) -> bytes:
        """Return the raw 64-byte r and s of ECDSA-SHA256 over ``data``."""
        return self.sign_digest(sha256(data))

    def sign_digest(self, digest: bytes, data: bytes | None = None) -> bytes:  # noqa: ARG002
        """Return the raw 64-byte r and s of ECDSA over a SHA-256; the data itself stays here."""
        answer = self._explained(
            lambda: self._client.sign(
                KeyId=self._uri.key,
                Message=digest,
                MessageType="DIGEST",
                SigningAlgorithm=_ALGORITHM,
            )
        )
        return raw_from_der(answer["Signature"])

    def _connect(self) -> Any:
        boto3, botocore = _libraries()
        config = botocore.config.Config(
            connect_timeout=_SECONDS_TO_CONNECT,
            read_timeout=_SECONDS_TO_ANSWER,
            retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
        )
        # A session of our own: that of boto3 itself is shared with all threads.
        session = boto3.session.Session()
        return session.client("kms", region_name=self._uri.region, config=config)

    def _find_public_key(self) -> bytes:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        answer = self._explained(lambda: self._client.get_public_key(KeyId=self._uri.key))
        try:
            key = serialization.load_der_public_key(answer["PublicKey"])
        except ValueError:
            raise self._error("its public key cannot be read") from None
        if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(
            key.curve, ec.SECP256R1
        ):
            raise self._error(
                f"this key is of the kind {answer.get('KeySpec', 'unknown')}",
                "devices accept ECC_NIST_P256 only",
            )
        if _ALGORITHM not in answer.get("SigningAlgorithms", ()):
            raise self._error(*_USE)
        form = serialization.PublicFormat.UncompressedPoint
        return key.public_bytes(serialization.Encoding.X962, form)

    def _explained(self, call: Callable[[], Any]) -> Any:
        _, botocore = _libraries()
        try:
            return call()
        except botocore.exceptions.ClientError as error:
            name = str(error.response.get("Error", {}).get("Code", "an error without a name"))
        except botocore.exceptions.BotoCoreError as error:
            name = type(error).__name__
        problem, remedy = _PROBLEMS.get(name, (f"AWS KMS reports {name}", None))
        raise self._error(problem, remedy)

    def _error(self, problem: str, remedy: str | None = None) -> CloudKeyError:
        place = f" in {self._uri.region}" if self._uri.region else ""
        return CloudKeyError(f"key {self._uri.key}{place}: {problem}", remedy=remedy)


def _libraries() -> tuple[Any, Any]:
    try:
        import boto3
        import botocore.config
        import botocore.exceptions
    except ImportError:
        raise CloudKeyError(
            "keys in AWS KMS need the package boto3", remedy="pip install 'fotabuild[aws-kms]'"
        ) from None
    return boto3, botocore
