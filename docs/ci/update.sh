#!/bin/sh
# A release in three jobs, so that the key is where no build runs. Copy it to ci/update.sh.
#   prepare   images, deltas, packages, bill of materials, and what is to be signed   no key
#   sign      signatures, manifests, statement on the origin                          the key
#   publish   checks everything as a device does; report, storage, release store      no key
# From the environment, those in brackets only if wanted:
#   VERSION, IMAGE        the version; the linked firmware or flat image, from its product's folder
#   [NAME]                what file names begin with: that of IMAGE
#   [PRODUCTS]            folders with a fotabuild.yaml each: this one
#   KEY_FILE, [KEY_PASSPHRASE]   sign: file or URI of the key, its passphrase
#   [HANDED]              sign, publish: where the files of the job before are: handed
#   [BUILDER_ID] [SOURCE, COMMIT]   sign, publish: who runs this, and where the sources are
#   [UPLOAD_TO]           publish: folder or storage URL for the artifacts
set -eu
: "${VERSION:?}" "${IMAGE:?}" "${PRODUCTS:=.}" "${HANDED:=handed}"
: "${NAME:=$(basename "$IMAGE" | sed 's/\.[^.]*$//')}"

# The artifacts of a build, as they are named here; what is added says which of them.
build() {
    fotabuild build "$product/$IMAGE" -v "$VERSION" --name "$NAME" --config "$config" \
        --output-dir "$update" "$@"
}

# Whoever writes what the build runs wrote these folders: they are moved to where nothing is run.
take() {
    rm -rf update signing
    for folder; do
        strange=$(find "$HANDED/$folder" ! -type f ! -type d)
        [ -z "$strange" ] || { echo "neither files nor folders: $strange" >&2 && exit 1; }
        mv "$HANDED/$folder" .
    done
}

prepare() {
    build --jobs 0 --prepare "$signing"
    [ ! -e "$product/parts.yaml" ] || fotabuild provenance sbom "$product/parts.yaml" \
        -p "$image" -v "$VERSION" --config "$config" -o "$update/sbom.cdx.json"
}

sign() {
    set -- --key "${KEY_FILE:?}"
    [ -z "${KEY_PASSPHRASE:-}" ] || set -- "$@" --passphrase env:KEY_PASSPHRASE
    build --sign "$signing" "$@"
    build --attach "$signing"
    [ -z "${BUILDER_ID:-}" ] || set -- "$@" --builder-id "$BUILDER_ID"
    source=$(public_url "${SOURCE:-}")
    case ${COMMIT:+$source} in
        *://*) set -- "$@" --source "git+$source" --source-commit "$COMMIT" ;;
    esac
    fotabuild provenance create "$update" --config "$config" "$@"
}

publish() {
    fotabuild verify "$update" --config "$config" --require-provenance
    fotabuild report "$update" --config "$config"
    [ -z "${UPLOAD_TO:-}" ] || fotabuild upload "$product/$IMAGE" -v "$VERSION" --name "$NAME" \
        --config "$config" --output-dir "$update" --built --to "$UPLOAD_TO$place"
    fotabuild release add "$image" -v "$VERSION" --config "$config" \
        ${COMMIT:+--origin "commit=$COMMIT"}
}

# git@host:path as a URL, and no URL with a password in it: the statement is for everybody.
public_url() {
    printf '%s\n' "$1" | sed -e '/:\/\//!s#^\([^/:]*\):#ssh://\1/#' \
        -e 's#^\(https*://\)[^/]*@#\1#' -e 's#^\([a-z+]*://[^/:@]*\):[^/@]*@#\1@#'
}

case ${1:-} in
    prepare) rm -rf update signing ;;
    sign) take update signing ;;
    publish) take update ;;
    *) echo "usage: $0 prepare|sign|publish" >&2 && exit 2 ;;
esac
for product in $PRODUCTS; do
    place=/$product
    [ "$product" != . ] || place=
    config=$product/fotabuild.yaml update=update$place signing=signing$place
    image=$update/$NAME-$VERSION.bin
    fotabuild release pull --config "$config"
    "$1"
done
