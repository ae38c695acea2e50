#!/bin/sh
# Installs what the browser and server tests need from Debian's packages, when it may; else says what to run.
# SETUP=no turns it off. Never fails: what is missing makes its tests skip, by name.
set -u
missing=""
command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
fc-list 2>/dev/null | grep -qi "noto sans" || missing="$missing fonts-noto-core"
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || missing="$missing postgresql"
command -v mvn >/dev/null 2>&1 || missing="$missing maven" # fetches Elasticsearch
[ -n "$missing" ] || exit 0
if [ "${SETUP:-yes}" = no ] || [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "Some browser or server tests will be skipped; to have them run: apt-get install -y$missing"
    exit 0
fi
echo "Installing$missing (SETUP=no turns this off)"
apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $missing >/dev/null ||
    echo "Could not install$missing: tests that need them will be skipped"
exit 0
