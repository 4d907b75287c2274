"""The vocabulary of SUIT manifests: names without numbers, which differ by profile."""

from __future__ import annotations

import enum

#: How texts for people call the specification of the default profile.
SPECIFICATION = "SUIT manifest (draft-ietf-suit-manifest-37)"
MANIFEST_VERSION = 1
POLICY_MAX = 15
UUID_SIZE = 16
#: Commands and parameters of this number and below are private (section 5.4).
PRIVATE_MAX = -256


class Profile(enum.Enum):
    """The wire format."""

    CURRENT = "current"
    DRAFT_09 = "draft-09"


class DigestAlgorithm(enum.Enum):
    """Algorithms of digests, by the names of the input."""

    SHA224 = "sha224"
    SHA256 = "sha256"
    SHA384 = "sha384"
    SHA512 = "sha512"
    SHAKE128 = "shake128"
    SHAKE256 = "shake256"

    @property
    def size(self) -> int:
        """Length of the digest in bytes (RFC 9054 for the two SHAKE)."""
        return _DIGEST_SIZES[self]


_DIGEST_SIZES = {
    DigestAlgorithm.SHA224: 28,
    DigestAlgorithm.SHA256: 32,
    DigestAlgorithm.SHA384: 48,
    DigestAlgorithm.SHA512: 64,
    DigestAlgorithm.SHAKE128: 32,
    DigestAlgorithm.SHAKE256: 64,
}


class Compression(enum.Enum):
    """What a payload is compressed with."""

    GZIP = "gzip"
    BZIP2 = "bzip2"
    DEFLATE = "deflate"
    LZ4 = "lz4"
    LZMA = "lzma"

    @property
    def number(self) -> int:
        """Value of the parameter, in draft-09 and in a private parameter of ``current``."""
        return _COMPRESSION_NUMBERS[self]


_COMPRESSION_NUMBERS = {
    Compression.GZIP: 1,
    Compression.BZIP2: 2,
    Compression.DEFLATE: 3,
    Compression.LZ4: 4,
    Compression.LZMA: 7,
}


class Element(enum.Enum):
    """Elements of a manifest that hold commands, texts or a software id."""

    VALIDATE = "validate"
    LOAD = "load"
    INVOKE = "invoke"
    COSWID = "coswid"
    DEPENDENCY_RESOLUTION = "dependency-resolution"
    PAYLOAD_FETCH = "payload-fetch"
    CANDIDATE_VERIFICATION = "candidate-verification"
    INSTALL = "install"
    TEXT = "text"
    UNINSTALL = "uninstall"

    @property
    def is_sequence(self) -> bool:
        """Whether the element holds commands."""
        return self not in (Element.TEXT, Element.COSWID)


class Name(enum.Enum):
    """Commands, as :mod:`json_view` and :mod:`diagnostic` spell them."""

    VENDOR_IDENTIFIER = "condition-vendor-identifier"
    CLASS_IDENTIFIER = "condition-class-identifier"
    IMAGE_MATCH = "condition-image-match"
    USE_BEFORE = "condition-use-before"
    COMPONENT_OFFSET = "condition-component-offset"
    COMPONENT_SLOT = "condition-component-slot"
    CHECK_CONTENT = "condition-check-content"
    DEPENDENCY_INTEGRITY = "condition-dependency-integrity"
    IS_DEPENDENCY = "condition-is-dependency"
    ABORT = "condition-abort"
    DEVICE_IDENTIFIER = "condition-device-identifier"
    IMAGE_NOT_MATCH = "condition-image-not-match"
    MINIMUM_BATTERY = "condition-minimum-battery"
    UPDATE_AUTHORIZED = "condition-update-authorized"
    VERSION = "condition-version"
    SET_COMPONENT_INDEX = "directive-set-component-index"
    SET_DEPENDENCY_INDEX = "directive-set-dependency-index"
    TRY_EACH = "directive-try-each"
    PROCESS_DEPENDENCY = "directive-process-dependency"
    SET_PARAMETERS = "directive-set-parameters"
    OVERRIDE_PARAMETERS = "directive-override-parameters"
    WRITE = "directive-write"
    FETCH = "directive-fetch"
    COPY = "directive-copy"
    INVOKE = "directive-invoke"
    WAIT = "directive-wait"
    SWAP = "directive-swap"
    RUN_SEQUENCE = "directive-run-sequence"
    RUN_WITH_ARGUMENTS = "directive-run-with-arguments"
    UNLINK = "directive-unlink"
    OVERRIDE_MULTIPLE = "directive-override-multiple"
    COPY_PARAMETERS = "directive-copy-params"

    @property
    def is_condition(self) -> bool:
        """Whether the command only checks something."""
        return self.value.startswith("condition-")


class Parameter(enum.Enum):
    """Parameters of commands."""

    VENDOR_ID = "vendor-id"
    CLASS_ID = "class-id"
    IMAGE_DIGEST = "image-digest"
    USE_BEFORE = "use-before"
    COMPONENT_OFFSET = "offset"
    COMPONENT_SLOT = "slot"
    STRICT_ORDER = "strict-order"
    SOFT_FAILURE = "soft-failure"
    IMAGE_SIZE = "image-size"
    CONTENT = "content"
    COMPRESSION_INFO = "compression-info"
    ENCRYPTION_INFO = "encryption-info"
    URI = "uri"
    SOURCE_COMPONENT = "source-component"
    INVOKE_ARGS = "invoke-args"
    DEVICE_ID = "device-id"
    FETCH_ARGS = "fetch-args"
    MINIMUM_BATTERY = "minimum-battery"
    UPDATE_PRIORITY = "update-priority"
    VERSION = "version"
    WAIT_INFO = "wait-info"
    COMPONENT_METADATA = "component-metadata"


class ManifestText(enum.Enum):
    """Texts about the whole manifest."""

    MANIFEST_DESCRIPTION = "manifest-description"
    UPDATE_DESCRIPTION = "update-description"
    JSON_SOURCE = "json-source"
    YAML_SOURCE = "yaml-source"


class ComponentText(enum.Enum):
    """Texts about one component."""

    VENDOR_NAME = "vendor-name"
    MODEL_NAME = "model-name"
    VENDOR_DOMAIN = "vendor-domain"
    MODEL_INFO = "model-info"
    COMPONENT_DESCRIPTION = "component-description"
    COMPONENT_VERSION = "component-version"
    VERSION_REQUIRED = "version-required"
    CURRENT_VERSION = "current-version"
