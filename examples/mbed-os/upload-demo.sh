#!/bin/sh
# An update from 1.0.0 to 1.1.0, uploaded by each of the three build systems to a local update
# server of its own, with two simulated devices. No account and no board is needed.
# Argument: the folder with fotabuild[server], scons, cmake, ninja and pio.
set -eu
bin=$1
cd "$(dirname "$0")"
work=$PWD/build/upload-demo
rm -rf "$work"
mkdir -p "$work"

pids=
finish() {
    for pid in $pids; do kill "$pid" 2> /dev/null || true; done
    wait
    pids=
}
trap finish EXIT
trap 'exit 130' INT TERM

# wait_for <file> <text> <pid>: until the program has written the text; it must live as long.
wait_for() {
    until grep -qs "$2" "$1"; do
        kill -0 "$3" 2> /dev/null || { cat "$1" >&2; exit 1; }
        sleep 0.2
    done
}

# start_server <name>
start_server() {
    "$bin/fotabuild" serve --data "$work/$1" --port 0 > "$work/$1.url" 2> "$work/$1.log" &
    pids="$pids $!"
    wait_for "$work/$1.url" http "$!"
    FOTABUILD_PUBLISH_SERVICE=$(cat "$work/$1.url")
    FOTABUILD_PUBLISH_ACCESS_KEY=file:$work/$1/access-key
    FOTABUILD_PUBLISH_JOURNAL=$work/$1/journal
    export FOTABUILD_PUBLISH_SERVICE FOTABUILD_PUBLISH_ACCESS_KEY FOTABUILD_PUBLISH_JOURNAL
}

# start_device <folder>: a device that does one update.
start_device() {
    "$bin/fotabuild" --quiet device init "$1" --resources build/update_default_resources.c \
        --image releases/thermometer-1.0.0.bin --fw-version 1.0.0 > /dev/null
    "$bin/fotabuild" device run "$1" --server "$FOTABUILD_PUBLISH_SERVICE" --once --timeout 300 \
        > "$1.result" 2> "$1.log" &
    devices="$devices $!"
    pids="$pids $!"
    wait_for "$1.log" registered "$!"
}

# count <kind>: how many there are on the server.
count() {
    "$bin/python" - "$1" << 'END'
import json, os, sys, urllib.request
key = open(os.environ["FOTABUILD_PUBLISH_ACCESS_KEY"].removeprefix("file:")).read().strip()
url = f"{os.environ['FOTABUILD_PUBLISH_SERVICE']}/v3/{sys.argv[1]}"
request = urllib.request.Request(url, headers={"Authorization": f"Bearer {key}"})
print(len(json.load(urllib.request.urlopen(request))["data"]))
END
}

# update_by <name> <command ...>: server, devices, upload, and what is left.
update_by() {
    name=$1
    shift
    devices=
    start_server "$name"
    start_device "$work/$name-device-1"
    start_device "$work/$name-device-2"
    echo "== $name: $FOTABUILD_PUBLISH_SERVICE has a page, two devices on 1.0.0 wait"
    "$@"
    for pid in $devices; do wait "$pid"; done
    echo "== $name: what the devices say"
    cat "$work/$name-device-1.result" "$work/$name-device-2.result"
    echo "== $name: left are $(count firmware-images) images, $(count firmware-manifests) manifests," \
        "$(count update-campaigns) campaigns," \
        "$("$bin/fotabuild" cleanup --list | wc -l | tr -d ' ') unfinished uploads"
    finish
}

[ -f keys/update.key.pem ] || "$bin/fotabuild" init --credentials-only .
echo "== release 1.0.0"
"$bin/scons" -Q -s VERSION=1.0.0
mkdir -p releases
cp build/update/thermometer-1.0.0.bin releases/

update_by SCons "$bin/scons" -Q VERSION=1.1.0 upload-update

if [ -x "$bin/cmake" ]; then
    "$bin/cmake" -S . -B build/cmake -G Ninja -DCMAKE_MAKE_PROGRAM="$bin/ninja" \
        -DCMAKE_TOOLCHAIN_FILE="$PWD/board/mps2-an386/toolchain.cmake" \
        -DFotaBuild_DIR="$("$bin/fotabuild" --cmake-dir)" \
        -DFOTABUILD_PYTHON_EXECUTABLE="$bin/python" -DAPP_VERSION=1.1.0 > "$work/configure.log"
    update_by CMake "$bin/cmake" --build build/cmake --target thermometer-upload-update
fi
if [ -x "$bin/pio" ]; then
    # Its own SCons comes from PlatformIO's registry at the first run.
    if "$bin/pio" run -e mps2 -t update-verify > "$work/platformio.log" 2>&1; then
        update_by PlatformIO "$bin/pio" run -e mps2 -t upload-update
    else
        echo "== PlatformIO: left out, it cannot build here; $work/platformio.log says why"
    fi
fi

if command -v qemu-system-arm > /dev/null; then
    echo "== the image that the first device has installed, in QEMU"
    timeout 20 qemu-system-arm -M mps2-an386 -display none -monitor none -serial stdio \
        -semihosting-config enable=on,target=native,arg=firmware \
        -kernel "$work"/SCons-device-1/image-*.bin
fi
