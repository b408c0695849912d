#!/usr/bin/env bash
# Builds the page into dist/, unless what is there came from just these sources, and tells its size.
# Usage: tools/client.sh [held]   held: a page over its budget is an error
set -euo pipefail
# shellcheck source=tools/lib.sh
. "$(dirname "$0")/lib.sh"

# Page weight: wasm and JavaScript that every board needs, as a server sends them.
budget=$((240 * 1024))
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
    # Erasing the types of views makes the page a tenth smaller.
    # Where the sources lie on this machine is nobody's business, and the page is shorter without it.
    flags="--cfg erase_components --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}/registry/src=crates"
    flags="$flags --remap-path-prefix=$(rustc --print sysroot)/lib/rustlib/src/rust/library=std"
    env -u NO_COLOR CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS="$flags" \
        trunk build --release --features split
    # Compressed once here rather than for each visitor; the server has both forms in its binary.
    find dist -type f ! -name '*.br' ! -name '*.gz' -exec brotli --best --keep --force {} + -exec gzip -9 --keep --no-name --force {} +
    state >"$stamp"
fi

# All boards need the first files; the modules are loaded when they are needed (client/src/lazy.rs).
sent() { # sent FILE…: the number of bytes of these files of dist/ as a server sends them
    local file
    for file in "$@"; do
        cat "dist/$file.br"
    done | wc -c
}
mapfile -t main < <(cd dist && ls page-*/pulseboard-client*.{js,wasm} page-*/__wasm_split.js)
first="$(sent "${main[@]}")"
printf '%10s  %s\n' bytes 'of wasm and JavaScript, with brotli'
printf '%10d  %s\n' "$first" "all boards"
while read -r name files; do
    # shellcheck disable=SC2086  # names without spaces
    printf '%10d  %s, with the code that it shares with other modules\n' "$(sent $files)" "$name"
done < <(perl -ne 'print "$1 ", join(" ", $2 =~ /[^", ]+/g), "\n" if /"(\w+)": \[(.*)\]/' dist/modules.json)
mapfile -t every < <(cd dist && ls page-*/*.{js,wasm})
all="$(sent "${every[@]}")"
say "wasm and JavaScript: $((first / 1024)) KB with brotli, of at most $((budget / 1024)) KB; all modules: $((all / 1024)) KB"
if [ "$first" -gt "$budget" ]; then
    over="the page has grown over its budget of $budget bytes with brotli"
    # Another compiler may make it a little larger. That fails a test, but not a build.
    [ "${1:-}" != held ] || die "$over"
    say "warning: $over"
fi
