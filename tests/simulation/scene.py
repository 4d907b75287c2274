"""A device that runs the old image, and offers of the server that lead to the new one."""

from __future__ import annotations

import dataclasses
import threading
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from fotabuild.device.profile import DeviceFeature, DeviceLimits
from fotabuild.digest import sha256
from fotabuild.formats.encrypted_payload import encode_key, encrypt_payload
from fotabuild.formats.manifest_v3 import PayloadFormat
from fotabuild.simulation.device import SimulatedDevice
from fotabuild.simulation.folder import DeviceFolder
from fotabuild.simulation.network import make_pool
from fotabuild.simulation.server import UpdateServer
from fotabuild.simulation.settings import DeviceSettings
from fotabuild.simulation.update import Outcome

from ..device import scenes
from ..device.scenes import IDENTITY, NEW, OLD, Scene
from ..formats.golden import CERTIFICATE
from .service import Service

PATH = "/fw/payload.bin"
KEY = bytes(range(16))
FEATURES = (DeviceFeature.DELTA, DeviceFeature.COMBINED, DeviceFeature.ENCRYPTED)
SETTINGS = DeviceSettings(
    endpoint_name="device",
    vendor_id=IDENTITY.vendor_id.hex,
    class_id=IDENTITY.class_id.hex,
    features=FEATURES,
)


def make_device(path: Path, **changes: Any) -> DeviceFolder:
    """A device with version 1.0.0."""
    settings = msgspec.structs.replace(SETTINGS, **changes)
    return DeviceFolder.create(path, settings, CERTIFICATE.read_bytes(), OLD, "1.0.0")


def limited(**limits: int) -> DeviceLimits:
    """Limits of a device other than usual."""
    return msgspec.structs.replace(DeviceLimits(), **limits)


def encrypted(plain: bytes = NEW, kind: PayloadFormat = PayloadFormat.ENCRYPTED_RAW) -> Scene:
    """An encrypted payload with the key behind its manifest."""
    hidden = encrypt_payload(plain, KEY)
    scene = scenes.raw().change(
        payload_format=kind,
        payload_digest=sha256(hidden),
        payload_size=len(hidden),
        installed_digest=sha256(plain),
        installed_size=len(plain),
    )
    return dataclasses.replace(scene, payload=hidden, appended=encode_key(KEY))


@dataclass
class Bench:
    """A device at a server.

    Attributes:
        service: the server.
        folder: the device.
        pauses: the seconds that the device would have waited, had the test not been in a hurry.
        told: what the device told people.
    """

    service: Service
    folder: DeviceFolder
    pauses: list[float] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def __enter__(self) -> Bench:
        self.pool = make_pool()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.pool.clear()

    def offer(self, scene: Scene) -> Scene:
        """Have the server offer this, at a URL of its own."""
        if scene.manifest.payload_uri == scenes.raw().manifest.payload_uri:
            scene = scene.change(payload_uri=self.service.url + PATH)
        assert scene.payload is not None
        self.service.payloads[PATH] = scene.payload
        self.service.manifest = scene.data
        return scene

    def device(self, **options: Any) -> SimulatedDevice:
        """The device, which does not wait between tries."""
        return SimulatedDevice(
            self.folder,
            UpdateServer(self.service.url, self.pool),
            tell=self.told.append,
            stop=_Hurry(self.pauses),
            **options,
        )

    def update(self, scene: Scene, timeout: float = 20) -> Outcome:
        """Offer this and let the device do one update."""
        self.offer(scene)
        outcomes = self.device().run(once=True, timeout=timeout)
        assert len(outcomes) == 1, self.told
        return outcomes[0]

    def settle(self, **options: Any) -> list[Outcome]:
        """Let the device live until the server has nothing for it."""
        device = self.device(**options)
        self.service.idle = device.stop.set
        return device.run(timeout=60)

    @property
    def image(self) -> bytes:
        """The installed image."""
        return self.folder.image(self.folder.state().digest).read_bytes()

    def files(self) -> set[str]:
        """The names in the device's folder, digests left out."""
        return {path.name.partition("-")[0] for path in self.folder.path.iterdir()}


class _Hurry(threading.Event):
    def __init__(self, pauses: list[float]) -> None:
        super().__init__()
        self._pauses = pauses

    def wait(self, timeout: float | None = None) -> bool:
        self._pauses.append(timeout or 0.0)
        return self.is_set()
