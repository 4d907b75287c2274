#!/bin/sh
# One update in three jobs, so that the key is where no build runs. Copy it to ci/update.sh.
#   prepare   image, deltas, and the bytes to be signed            no key
#   sign      signatures, manifests, statement on the origin       the key
#   check     everything as a device does, and a report            no key
# From the environment: IMAGE (prepare), VERSION, KEY_FILE and perhaps KEY_PASSPHRASE (sign).
# Older images are releases/NAME-VERSION.bin; NAME is that of the image unless it is given.
set -eu
: "${VERSION:?}" "${NAME:=$(basename "${IMAGE:-app.bin}" | sed 's/\.[^.]*$//')}"
new=update/$NAME-$VERSION

old_versions() {
    for old in releases/"$NAME"-*.bin; do
        [ -e "$old" ] || continue
        basename "$old" .bin | sed "s/^$NAME-//"
    done
}

prepare() {
    mkdir -p update signing
    fotabuild image "$IMAGE" -o "$new.bin"
    fotabuild manifest prepare -v "$VERSION" -p "$new.bin" --format raw-binary \
        -o "signing/$NAME-$VERSION.tbs"
    for from in $(old_versions); do
        delta=$NAME-$from-to-$VERSION
        fotabuild delta -c "releases/$NAME-$from.bin" -n "$new.bin" -o "update/$delta.patch"
        fotabuild manifest prepare -v "$VERSION" -p "update/$delta.patch" \
            --format arm-patch-stream --current-fw "releases/$NAME-$from.bin" \
            --current-version "$from" -o "signing/$delta.tbs"
    done
}

sign() {
    : "${KEY_FILE:?}" "${KEY_PASSPHRASE:=}"
    export KEY_PASSPHRASE
    for bytes in signing/*.tbs; do
        openssl dgst -sha256 -sign "$KEY_FILE" -passin env:KEY_PASSPHRASE \
            -out "${bytes%.tbs}.sig" "$bytes"
    done
    fotabuild manifest attach "signing/$NAME-$VERSION.tbs" \
        --signature "signing/$NAME-$VERSION.sig" -p "$new.bin" -o "$new.manifest"
    for from in $(old_versions); do
        delta=$NAME-$from-to-$VERSION
        fotabuild manifest attach "signing/$delta.tbs" --signature "signing/$delta.sig" \
            -p "update/$delta.patch" --current-fw "releases/$NAME-$from.bin" \
            --current-version "$from" -o "update/$delta.manifest"
    done
    set -- --precursors releases
    [ -z "${BUILDER_ID:-}" ] || set -- "$@" --builder-id "$BUILDER_ID"
    [ -z "${SOURCE:-}" ] || set -- "$@" --source "$SOURCE" --source-commit "$COMMIT"
    [ -z "$KEY_PASSPHRASE" ] || set -- "$@" --passphrase env:KEY_PASSPHRASE
    fotabuild provenance create update --key "$KEY_FILE" "$@"
}

check() {
    fotabuild verify update --precursors releases --require-provenance
    fotabuild report update --precursors releases
}

case ${1:-} in
    prepare | sign | check) "$1" ;;
    *) echo "usage: $0 prepare|sign|check" >&2 && exit 2 ;;
esac
