#!/bin/sh
# Makes the virtual environment FOLDER with exactly the packages of LOCK and claimwatch itself.
# Usage: environment.sh FOLDER LOCK
set -eu
folder=$1
lock=$2
python=${PYTHON:-python3}
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    for other in python3.13 python3.12 python3.11; do
        if command -v "$other" >/dev/null 2>&1; then python=$other; break; fi
    done
fi
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || {
    echo "claimwatch needs Python 3.11 or newer; name one with: make PYTHON=/path/to/python3" >&2
    exit 1
}
[ -x "$folder/bin/python" ] || {
    echo "Making $folder with $("$python" --version)"
    "$python" -m venv "$folder" || {
        echo "venv is missing; on Debian run: apt-get install python3-venv" >&2
        exit 1
    }
}
echo "Installing $(grep -c '^[a-z].*==' "$lock") locked packages (a minute or two the first time)"
# The lock is complete: with --no-deps nothing is resolved anew. Pip before 23.3 takes a newer release than the lock's
# for a package that is asked for with an extra, and then stops because that one has no hash.
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r "$lock"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps -e .
