#!/bin/sh
# A release in three jobs, so that the key is where no build runs, and a fourth that may bring it to
# devices. Copy it to ci/update.sh.
#   prepare   images, deltas, packages, bill of materials, and what is to be signed   no key
#   sign      signatures, manifests, statement on the origin                          the key
#   publish   checks everything as a device does; report, storage, release store      no key
#   deploy    campaigns on the service DEPLOY_TO, whose URLs are signed               the key
# From the environment, those in brackets only if wanted:
#   VERSION, IMAGE        the version; the linked firmware or flat image, from its product's folder
#   [NAME]                what file names begin with: that of IMAGE
#   [PRODUCTS]            folders with a fotabuild.yaml each: this one
#   KEY_FILE, [KEY_PASSPHRASE]   sign, deploy: file or URI of the key, its passphrase
#   [HANDED]              all but prepare: where the files of the job before are: handed
#   [BUILDER_ID] [SOURCE, COMMIT]   sign, publish: who runs this, and where the sources are
#   [UPLOAD_TO]           publish: folder or storage URL for the artifacts
#   DEPLOY_TO, [DEPLOY_OPTIONS]   deploy: URL of the service, words for fotabuild upload
#   FOTABUILD_ACCESS_KEY, or FOTABUILD_PUBLISH_ACCESS_KEY=file:PATH   deploy: read by fotabuild
set -eu
: "${VERSION:?}" "${IMAGE:?}" "${PRODUCTS:=.}" "${HANDED:=handed}"
: "${NAME:=$(basename "$IMAGE" | sed 's/\.[^.]*$//')}"

# The artifacts of a build, as they are named here; what is added says which of them.
build() {
    fotabuild build "$product/$IMAGE" -v "$VERSION" --name "$NAME" --config "$config" \
        --output-dir "$update" "$@"
}

# A command that signs.
with_key() {
    [ -z "${KEY_PASSPHRASE:-}" ] || set -- "$@" --passphrase env:KEY_PASSPHRASE
    "$@" --key "${KEY_FILE:?}"
}

# What was built, as it is; what is added says where to.
upload() {
    fotabuild upload "$product/$IMAGE" -v "$VERSION" --name "$NAME" --config "$config" \
        --output-dir "$update" --built "$@"
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
    with_key build --sign "$signing"
    build --attach "$signing"
    [ -z "${BUILDER_ID:-}" ] || set -- "$@" --builder-id "$BUILDER_ID"
    source=$(public_url "${SOURCE:-}")
    case ${COMMIT:+$source} in
        *://*) set -- "$@" --source "git+$source" --source-commit "$COMMIT" ;;
    esac
    with_key fotabuild provenance create "$update" --config "$config" "$@"
}

publish() {
    fotabuild verify "$update" --config "$config" --require-provenance
    fotabuild report "$update" --config "$config"
    [ -z "${UPLOAD_TO:-}" ] || upload --to "$UPLOAD_TO$place"
    fotabuild release add "$image" -v "$VERSION" --config "$config" \
        ${COMMIT:+--origin "commit=$COMMIT"}
}

deploy() {
    fotabuild verify "$update" --config "$config" --require-provenance
    # The options are words, and so have no quotes.
    with_key upload --to "${DEPLOY_TO:?}" ${DEPLOY_OPTIONS:---timeout 3000}
}

# git@host:path as a URL, and no URL with a password in it: the statement is for everybody.
public_url() {
    printf '%s\n' "$1" | sed -e '/:\/\//!s#^\([^/:]*\):#ssh://\1/#' \
        -e 's#^\(https*://\)[^/]*@#\1#' -e 's#^\([a-z+]*://[^/:@]*\):[^/@]*@#\1@#'
}

case ${1:-} in
    prepare) rm -rf update signing ;;
    sign) take update signing ;;
    publish | deploy) take update ;;
    *) echo "usage: $0 prepare|sign|publish|deploy" >&2 && exit 2 ;;
esac
for product in $PRODUCTS; do
    place=/$product
    [ "$product" != . ] || place=
    config=$product/fotabuild.yaml update=update$place signing=signing$place
    image=$update/$NAME-$VERSION.bin
    fotabuild release pull --config "$config"
    "$1"
done
