#!/bin/sh
# Build release 1.0.0, keep its image as "in the field", build 1.1.0, show and check the artifacts.
# Argument: the folder with scons and fotabuild.
set -eu
bin=$1
cd "$(dirname "$0")"

if [ ! -f keys/update.key.pem ]; then
    "$bin/fotabuild" init --credentials-only .
fi

echo "== release 1.0.0"
"$bin/scons" -Q VERSION=1.0.0
mkdir -p releases
cp build/update/thermometer-1.0.0.bin releases/

echo "== release 1.1.0"
"$bin/scons" -Q VERSION=1.1.0

echo "== artifacts of 1.1.0"
ls -l build/update
echo "== what a device in the field would say to the delta"
"$bin/fotabuild" manifest verify build/update/thermometer-1.0.0-to-1.1.0.manifest \
    --payload build/update/thermometer-1.0.0-to-1.1.0.patch \
    --installed-image releases/thermometer-1.0.0.bin --installed-version 1.0.0
