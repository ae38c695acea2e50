#!/bin/sh
# Runs the fast tests on the oldest versions that pyproject.toml allows, in an environment of its own.
set -eu
folder=${TMPDIR:-/tmp}/claimwatch-oldest
.venv/bin/uv venv -q --clear "$folder"
.venv/bin/uv pip install -q --python "$folder/bin/python" --resolution lowest-direct -e ".[dev]"
"$folder/bin/python" -m pytest -W default::DeprecationWarning -m "not soak and not browser and not encoder and not servers"
