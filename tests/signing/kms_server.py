"""A stand-in for AWS KMS on this machine: GetPublicKey and Sign, as its reference describes them.

The usual stand-ins do not know ``MessageType`` DIGEST, the one form that is used here.
"""

from __future__ import annotations

import base64
import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

REGION = "eu-west-3"
ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET_KEY = "canary-5f1c7e-secret-access-key"
SESSION_TOKEN = "canary-90aa31-session-token"
_PREFIX = "TrentService."


@dataclass
class Service:
    """What the service holds and does.

    Attributes:
        keys: private keys by the name under which they are asked for.
        spec, usage, algorithms: what is told of every key.
        failures: error codes for the next calls, in order; "" lets one pass.
        signature: replaces every signature, if it is not None.
        stalls: whether calls are never answered.
        requests: action and body of each call.
    """

    keys: dict[str, Any]
    spec: str = "ECC_NIST_P256"
    usage: str = "SIGN_VERIFY"
    algorithms: tuple[str, ...] = ("ECDSA_SHA_256",)
    failures: list[str] = field(default_factory=list)
    signature: bytes | None = None
    stalls: bool = False
    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    url: str = ""
    _ended: threading.Event = field(default_factory=threading.Event)

    def answer(self, action: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Return status and answer of a call."""
        self.requests.append((action, body))
        if self.stalls:
            self._ended.wait(30)
        failure = self.failures.pop(0) if self.failures else ""
        if not failure and body["KeyId"] not in self.keys:
            failure = "NotFoundException"
        if failure:
            # Real messages name accounts and users.
            return 400, {"__type": failure, "message": f"arn:aws:iam::1:user/{SECRET_KEY}"}
        key = self.keys[body["KeyId"]]
        if action == "GetPublicKey":
            form = serialization.PublicFormat.SubjectPublicKeyInfo
            der = key.public_key().public_bytes(serialization.Encoding.DER, form)
            return 200, {
                "KeyId": body["KeyId"],
                "KeySpec": self.spec,
                "KeyUsage": self.usage,
                "SigningAlgorithms": list(self.algorithms),
                "PublicKey": base64.b64encode(der).decode(),
            }
        assert action == "Sign"
        assert (body["MessageType"], body["SigningAlgorithm"]) == ("DIGEST", "ECDSA_SHA_256")
        digest = base64.b64decode(body["Message"])
        assert len(digest) == 32
        signature = self.signature
        if signature is None:
            signature = key.sign(digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
        return 200, {"KeyId": body["KeyId"], "Signature": base64.b64encode(signature).decode()}


def _handler(service: Service) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            assert f"Credential={ACCESS_KEY}/" in self.headers["Authorization"]
            assert f"/{REGION}/kms/aws4_request" in self.headers["Authorization"]
            action = self.headers["X-Amz-Target"].removeprefix(_PREFIX)
            status, answer = service.answer(action, body)
            data = json.dumps(answer).encode()
            with contextlib.suppress(ConnectionError):  # Who waits too long has left.
                self.send_response(status)
                self.send_header("Content-Type", "application/x-amz-json-1.1")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    return Handler


@contextlib.contextmanager
def running(service: Service) -> Iterator[Service]:
    """Serve on a free port of this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(service)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        service.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield service
        finally:
            service._ended.set()
            server.shutdown()
            thread.join()


def environment(service: Service) -> dict[str, str]:
    """Return the variables with which AWS's library finds the service, and nothing else."""
    return {
        "AWS_ENDPOINT_URL_KMS": service.url,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_SESSION_TOKEN": SESSION_TOKEN,
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
