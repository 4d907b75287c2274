#!/bin/sh
# Install manifest-tool 2.6.2 into .venv-peer, with the first interpreter that can run it.
set -eu
cd "$(dirname "$0")/.."
if [ -x .venv-peer/bin/manifest-tool ]; then exit 0; fi
for python in "${PEER_PYTHON:-python3.11}" python3.11 python3.10 python3.9 python3; do
    if "$python" -c 'import sys; sys.exit(not (3, 8) <= sys.version_info[:2] <= (3, 11))' 2>/dev/null
    then
        rm -rf .venv-peer
        if "$python" -m venv .venv-peer &&
            .venv-peer/bin/python -m pip install --quiet --disable-pip-version-check \
                manifest-tool==2.6.2
        then exit 0; fi
    fi
done
rm -rf .venv-peer
echo "manifest-tool 2.6.2 could not be installed here (it needs Python 3.8 to 3.11)" >&2
