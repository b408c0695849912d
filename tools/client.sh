#!/usr/bin/env bash
# Builds the page into dist/, unless what is there came from just these sources, and holds its size to the budget.
set -euo pipefail
# shellcheck source=tools/lib.sh
. "$(dirname "$0")/lib.sh"

# What a visitor waits for: wasm and JavaScript, as a server sends them.
budget=$((324 * 1024))
stamp="$stamps/client"

# By content, not by time: a checkout, a copy or another build into dist/ makes times lie.
state() {
    # shellcheck disable=SC2046  # a toolchain's name has no spaces worth keeping
    { rustc --version; find client shared tools/bin index.html Trunk.toml Cargo.toml Cargo.lock -type f -print0 |
        sort -z | xargs -0 sha256sum; find dist -type f -print0 | sort -z | xargs -0 sha256sum; } 2>/dev/null |
        sha256sum
}

if [ -f dist/index.html ] && [ "$(state)" = "$(cat "$stamp" 2>/dev/null)" ]; then
    say "The page in dist/ is up to date"
else
    say "Building the page into dist/ (some 3 minutes the first time)"
    # trunk reads NO_COLOR as a boolean of its own and stops at any other value.
    env -u NO_COLOR trunk build --release
    # Compressed once here rather than for each visitor; the server has both forms in its binary.
    find dist -type f ! -name '*.br' ! -name '*.gz' -exec brotli --best --keep --force {} + -exec gzip -9 --keep --no-name --force {} +
    state >"$stamp"
fi

total=0
printf '%12s %12s %12s  %s\n' plain gzip brotli 'bytes of'
while IFS= read -r file; do
    brotli="$(wc -c <"$file.br")"
    printf '%12d %12d %12d  %s\n' "$(wc -c <"$file")" "$(wc -c <"$file.gz")" "$brotli" "${file#dist/}"
    total=$((total + brotli))
done < <(find dist -type f \( -name '*.wasm' -o -name '*.js' \) | sort)
say "wasm and JavaScript: $((total / 1024)) KB with brotli, of at most $((budget / 1024)) KB"
[ "$total" -le "$budget" ] || die "the page has grown over its budget of $budget bytes with brotli"
