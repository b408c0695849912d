#!/usr/bin/env bash
# The loop for working on the page: the server, and trunk in front of it, which rebuilds and reloads on each change.
set -euo pipefail
# shellcheck source=tools/lib.sh
. "$(dirname "$0")/lib.sh"

children=()
# Ctrl-C reaches the children by itself; this also ends one when the other ends.
stop() {
    trap - EXIT INT TERM
    for pid in "${children[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait || true
}
trap stop EXIT
trap 'exit 0' INT TERM

say "Building the server"
cargo build -p pulseboard-server
"$target/debug/pulseboard" serve --agent "$@" &
children+=($!)
# trunk stops at a path that it shall ignore and cannot find.
mkdir -p dist target pulseboard-data
# Into a folder of its own: dist/ holds the build that goes into the binary.
say "Open http://127.0.0.1:8080 (the page is built first; Ctrl-C ends both)"
env -u NO_COLOR trunk serve --address 127.0.0.1 --port 8080 --dist "$target/dev-dist" &
children+=($!)
wait -n
