#!/bin/sh
# Every test but the slow ones, with coverage: those that need the servers in a second process, beside all others.
# What the second one says is shown when both are done.
BIN=$1
said=$(mktemp)
"$BIN/coverage" run -m pytest -p no:cacheprovider -m "servers and not soak" >"$said" 2>&1 &
beside=$!
trap 'kill "$beside" 2>/dev/null; exit 130' INT TERM
"$BIN/coverage" run -m pytest -m "not servers and not soak"
first=$?
wait "$beside"
second=$?
echo "tests that need the servers:"
cat "$said"
rm -f "$said"
[ "$first" -eq 0 ] && [ "$second" -eq 0 ]
