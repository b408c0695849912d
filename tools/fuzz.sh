#!/usr/bin/env bash
# Fuzzes each target for a number of runs, and prints how many it did.
# Usage: [MAX_LEN=4096] tools/fuzz.sh RUNS [TARGET…]   without a target: all of them. Short inputs make more runs a second
set -euo pipefail
# shellcheck source=tools/lib.sh
. "$(dirname "$0")/lib.sh"

runs="${1:?how many runs of each target}"
shift
cd fuzz
say "Building the fuzz targets (some minutes the first time)"
# libFuzzer needs flags of the compiler that are unstable, and nothing else of a nightly.
RUSTC_BOOTSTRAP=1 cargo fuzz build --sanitizer none
built="$(dirname "$(find "${CARGO_TARGET_DIR:-target}" -path '*/release/batch' -type f | head -n 1)")"
[ "$#" -gt 0 ] || set -- $(cargo fuzz list)

crashed=0
printf '| target | runs | runs a second | inputs kept | crashes |\n| --- | ---: | ---: | ---: | ---: |\n'
for target in "$@"; do
    # What is found is kept beside the build; the repository has the seeds.
    found="${CARGO_TARGET_DIR:-target}/corpus/$target"
    mkdir -p "$found" "artifacts/$target"
    log="$found.log"
    began="$(date +%s)"
    status=0
    nice -n 19 "$built/$target" -runs="$runs" -max_len="${MAX_LEN:-4096}" -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="artifacts/$target/" "$found" "corpus/$target" >"$log" 2>&1 || status=$?
    done_runs="$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -n 1)"
    took="$(($(date +%s) - began))"
    printf '| %s | %s | %s | %s | %s |\n' "$target" "${done_runs:-0}" "$((${done_runs:-0} / (took > 0 ? took : 1)))" \
        "$(find "$found" -type f | wc -l)" "$((status != 0))"
    if [ "$status" -ne 0 ]; then
        crashed=1
        tail -n 20 "$log" >&2
    fi
done
[ "$crashed" -eq 0 ] || die "a target crashed; the input is in fuzz/artifacts. Once it is mended, put the input into fuzz/corpus"
