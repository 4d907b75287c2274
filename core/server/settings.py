"""How a server behaves, apart from its limits."""

from __future__ import annotations

from dataclasses import dataclass, field

from fotabuild.server.limits import ServerLimits


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """Settings of a running server.

    Attributes:
        public_url: how devices and people reach it, without a slash at the end.
        limits: bounds on what it takes.
        private: pages for people need a login.
        loopback: it listens on a loopback address only.
        enrolment_hash: SHA-256 of the token that new devices must bring, or None.
        quota: device updates that the account may still make, or None for any number.
        keep_used: refuse to delete an image or manifest that a running campaign uses.
        requests_per_minute: for each access key; None for any number.
        step_seconds: how long each state of a starting campaign lasts.
    """

    public_url: str
    limits: ServerLimits = field(default_factory=ServerLimits)
    private: bool = False
    loopback: bool = True
    enrolment_hash: bytes | None = None
    quota: int | None = None
    keep_used: bool = False
    requests_per_minute: int | None = None
    step_seconds: float = 0.2
