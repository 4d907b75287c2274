"""``errors.md``, from the error tree."""

from __future__ import annotations

from fotabuild import errors
from fotabuild.errors import FotabuildError

from .markdown import NOTE, sentence, table

#: What usually helps, by error code. Messages give the remedy for their very case.
REMEDIES = {
    "FB0000": "Report it: every problem that is known has a class below.",
    "FB0100": "Look at `--help` of the command.",
    "FB0200": "Correct the setting; the message names the file and line, the variable or the "
    "option. `fotabuild config` shows where each value comes from, [config.md](config.md) what is "
    "allowed.",
    "FB0201": "Correct the YAML at the given line. Each key stands once; there are no anchors, "
    "aliases or tags; text that looks like a date stands in quotes.",
    "FB0300": "Check the name, the permissions and the free space.",
    "FB0301": "Choose another output name. `fotabuild init` never overwrites a `fotabuild.yaml`.",
    "FB0400": "Get the file again; the message names the field and the byte offset.",
    "FB0401": "Make or download the manifest or package again. Bytes behind the end, BER and "
    "lengths that are not minimal are refused although some devices accept them.",
    "FB0402": "Make the manifest again.",
    "FB0403": "Make the patch again, from the image that the devices really run.",
    "FB0404": "Keep patch and side file together; make both again with `fotabuild delta`.",
    "FB0405": "Make the package again. Links, folders, other names than those of the descriptor "
    "and data behind the end are refused.",
    "FB0406": "Give the linked firmware; remove sections of other memories, or give a flat binary.",
    "FB0407": "Write MAJOR.MINOR.PATCH, each part 0 to 999 without leading zeros.",
    "FB0408": "Move the parts apart in `layout`, or make the earlier one smaller.",
    "FB0409": "Link the application to `layout.flash-start` plus `layout.application-offset`, or "
    "correct these.",
    "FB0410": "Give the key that was made with this payload, and the whole payload "
    "([signing.md](signing.md)).",
    "FB0420": "Make or download the envelope again. Only deterministic CBOR is taken: shortest "
    "heads, definite lengths, sorted keys, nothing behind the end.",
    "FB0421": "Give a SUIT envelope of the profile `current` or `draft-09` "
    "([formats-suit.md](formats-suit.md)).",
    "FB0422": "Correct the description at the path that the message names "
    "([formats-suit.md](formats-suit.md)).",
    "FB0423": "Follow the way out that the message names, or choose the other profile "
    "([formats-suit.md](formats-suit.md)).",
    "FB0500": "Give two images that are not empty, and a block size of 64 or more.",
    "FB0501": "Send this release the full image: it carries no patch decoder that fits. For the "
    "next release compile the decoder into the firmware ([scons.md](scons.md)).",
    "FB0502": "Send the full image to this release, or raise `delta.threshold`.",
    "FB0600": "Give a PEM key on P-256 and its X.509 certificate, DER or PEM ([keys.md](keys.md)).",
    "FB0601": "Give the certificate that was made from this key ([keys.md](keys.md)).",
    "FB0602": "Sign with the key of the update certificate; an external signer returns DER over "
    "the very bytes that it was given ([signing.md](signing.md)).",
    "FB0603": "Run the signing tool by hand, or set `credentials.show-signing-tool: true` to see "
    "what it prints ([signing.md](signing.md)).",
    "FB0604": "Compare the `pkcs11:` URI with what is in the token; the message names what is "
    "missing ([signing.md](signing.md)).",
    "FB0605": "Give the passphrase or PIN by `env:NAME`, `fd:NUMBER` or `prompt` "
    "([signing.md](signing.md)).",
    "FB0606": "Keep the old key while devices hold its certificate ([keys.md](keys.md)).",
    "FB0607": "Look at key, region and permissions in the cloud service; the message names what is "
    "missing ([signing.md](signing.md)).",
    "FB0610": "Give a key on P-256, P-384 or P-521, an Ed25519 key, an HSS/LMS key or a 32-byte "
    "secret, and an algorithm that fits it ([formats-suit.md](formats-suit.md)).",
    "FB0611": "Install `fotabuild[hss-lms]`; keep the key file writable; make a new key when this "
    "one is used up.",
    "FB0700": "Every failed check is named with what to do; see "
    "[device-checks.md](device-checks.md).",
    "FB0800": "Give each release another version and the artifacts a folder of their own.",
    "FB0900": "Follow the message; [upload.md](upload.md) explains what goes where.",
    "FB0901": "The message has the request, the status and the service's own words. 403: the "
    "account or key lacks a permission; 413: the account takes no files of this size.",
    "FB0902": "Check the address, the network, `HTTPS_PROXY` and `REQUESTS_CA_BUNDLE`. A campaign "
    "that was started runs on; `fotabuild upload --resume` looks again.",
    "FB0903": "Correct `publish.service`: something else than the service answers there, perhaps a "
    "gateway.",
    "FB0904": "Get a key of the account, not the credentials of a device; the message names where "
    "the key came from.",
    "FB0905": "The message names where it looked: set that variable where the command runs, in CI "
    "from the secrets of the job, or write that file; `publish.access-key` names another place "
    "([upload.md](upload.md#access-key)). A local server's key: `access-key` in its data folder.",
    "FB0906": "Write `https://HOST`; `http` is for services on this machine.",
    "FB0907": "Upload again; if it happens again, something on the way changes data.",
    "FB0908": "The lines above the error name each device and what it reported, with a hint.",
    "FB0909": "Compare vendor and class of the devices with those of the project: "
    "`fotabuild config` shows the latter.",
    "FB0910": "Devices that are offline keep a campaign open. Give it more time, or name devices "
    "with `--device-id`.",
    "FB0911": "Wait for the other process, or `fotabuild cleanup RUN` and upload anew.",
    "FB0912": "The warnings name what is left; `fotabuild cleanup` tries again.",
    "FB0913": "The message has the words of the storage's own library.",
    "FB0914": "Install the extra that the message names.",
    "FB0920": "Give another address or port; `--port 0` takes a free one ([server.md](server.md)).",
    "FB0921": "Stop the other server, or give another folder with `--data`.",
    "FB0922": "`fotabuild serve keys list` shows the keys and their identifiers.",
    "FB1200": "The message has the server's reason. A damaged device is made again with "
    "`fotabuild device init` ([simulated-device.md](simulated-device.md)).",
    "FB1000": "Correct the value; [releases.md](releases.md) says what a store takes.",
    "FB1001": "Run `fotabuild release fsck`; add a release whose image is damaged again "
    "([releases.md](releases.md)).",
    "FB1002": "Give the new image another version: a release never changes. Or is this another "
    "product's store? Each product has its own ([releases.md](releases.md)).",
    "FB1003": "Look at `fotabuild release list --all`; give the component with `--component`.",
    "FB1004": "Check the place, the network and your rights there; URLs need the extra `storage`.",
    "FB1005": "Correct the CSV at the given line; its first line names the columns.",
    "FB1010": "Look at the lines before: each delta that failed says why.",
    "FB1011": "Look at scheduler and workers; what was finished is kept, so just start again "
    "([scale.md](scale.md)).",
    "FB1020": "Give a folder with the artifacts themselves, without links to other folders.",
    "FB1021": "State the origin again with `fotabuild provenance create`, of a folder that you "
    "trust ([provenance.md](provenance.md)).",
    "FB1022": "Correct the list; the form of it stands in [provenance.md](provenance.md).",
}
_COLUMNS = ("code", "class", "exit status", "meaning", "what usually helps")
_INTRODUCTION = """\
# Errors

Whatever goes wrong for a reason that fotabuild knows is reported on one line on stderr:

```text
error: FILE:LINE: FIELD: offset 0x10: what is wrong; what to do [FBnnnn]
```

Parts that do not apply are left out. Codes are stable: scripts may match them, also as `error.code`
of the JSON output. In Python the classes are in `fotabuild.errors`: catching `FormatError` catches
all bad input data (`FB04nn`), `SigningError` all trouble with keys (`FB06nn`). `--debug` shows the
traceback.

"""


def page() -> str:
    """Return the page."""
    rows = [
        (
            f"`{kind.code}`",
            f"`{kind.__name__}`",
            str(int(kind.exit_status)),
            sentence((kind.__doc__ or "").partition("\n\n")[0]),
            _remedy(kind.code),
        )
        for kind in _classes()
    ]
    return NOTE + _INTRODUCTION + table(_COLUMNS, rows)


def _remedy(code: str) -> str:
    if code not in REMEDIES:
        raise SystemExit(f"{__file__}: say in REMEDIES what usually helps against {code}")
    return REMEDIES[code]


def _classes() -> list[type[FotabuildError]]:
    found = [
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, FotabuildError)
    ]
    return sorted(found, key=lambda kind: kind.code)
