#!/usr/bin/env bash
# Builds the page into dist/, unless what is there came from just these sources, and tells its size.
# Usage: tools/client.sh [held]   held: a page over its budget is an error
set -euo pipefail
# shellcheck source=tools/lib.sh
. "$(dirname "$0")/lib.sh"

# Page weight: wasm and JavaScript that every board needs, as a server sends them.
budget=$((200 * 1024))
stamp="$stamps/client"

# By content, not by time: a checkout, a copy or another build into dist/ makes times lie.
state() {
    # shellcheck disable=SC2046  # a toolchain's name has no spaces worth keeping
    { rustc --version; wasm-opt --version; find client shared tools index.html Trunk.toml Cargo.toml Cargo.lock -type f -print0 |
        sort -z | xargs -0 sha256sum; find dist -type f -print0 | sort -z | xargs -0 sha256sum; } 2>/dev/null |
        sha256sum
}

if [ -f dist/index.html ] && [ "$(state)" = "$(cat "$stamp" 2>/dev/null)" ]; then
    say "The page in dist/ is up to date"
else
    say "Building the page into dist/ (some 3 minutes the first time)"
    # trunk reads NO_COLOR as a boolean of its own and stops at any other value.
    # Types of views are erased as they are made: a tenth of the page.
    # Where the sources lie on this machine is nobody's business, and the page is shorter without it.
    flags="--cfg erase_components --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}/registry/src=crates"
    flags="$flags --remap-path-prefix=$(rustc --print sysroot)/lib/rustlib/src/rust/library=std"
    env -u NO_COLOR CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS="$flags" \
        trunk build --release --features split
    # Compressed once here rather than for each visitor; the server has both forms in its binary.
    find dist -type f ! -name '*.br' ! -name '*.gz' -exec brotli --best --keep --force {} + -exec gzip -9 --keep --no-name --force {} +
    state >"$stamp"
fi

# What a visitor waits for is what every board needs; what else there is comes when it is wanted (client/src/lazy.rs).
sent() { # sent PATTERN…: how many bytes such files of dist/ are as a server sends them
    local pattern
    for pattern in "$@"; do
        # shellcheck disable=SC2086  # a pattern
        cat dist/$pattern.br
    done | wc -c
}
first="$(sent 'pulseboard-client-*' 'parts-*')"
pieces="$(sent 'pieces-*')"
printf '%10s  %s\n' bytes 'of wasm and JavaScript, with brotli'
printf '%10d  %s\n' "$first" "what every board needs" "$pieces" "and once, with the first of these that is wanted:"
for part in dist/*.wasm; do
    name="$(basename "$part" .wasm)"
    case "$name" in
        pulseboard-client-*) ;;
        *) printf '%10d  %s\n' "$(sent "$name.wasm")" "${name%-*}" ;;
    esac
done
all="$(sent '*.wasm' '*.js' '*.bin')"
say "wasm and JavaScript: $((first / 1024)) KB with brotli, of at most $((budget / 1024)) KB; all that there is: $((all / 1024)) KB"
if [ "$first" -gt "$budget" ]; then
    over="the page has grown over its budget of $budget bytes with brotli"
    # Another compiler may make it a little larger. That fails a test, but not a build.
    [ "${1:-}" != held ] || die "$over"
    say "warning: $over"
fi
