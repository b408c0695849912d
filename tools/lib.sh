# Shared by the scripts beside it: sourced, never run.
# shellcheck shell=bash

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$root" || exit

# Read here and by cargo alike; an absolute path, since some of what runs changes its folder.
target="${CARGO_TARGET_DIR:-target}"
case "$target" in /*) ;; *) target="$root/$target" ;; esac
export CARGO_TARGET_DIR="$target"
stamps="$target/stamps"
mkdir -p "$stamps"

# First what stands in for a tool that has a fault. Then where rustup puts cargo, and cargo what it installs: a shell
# that was open before does not know.
export PATH="$root/tools/bin:${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"

say() { printf '==> %s\n' "$*"; }

die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }
