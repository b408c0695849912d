#!/usr/bin/env bash
# Splits the page that trunk has built for release into modules, with Leptos' own tool. Run by trunk (Trunk.toml).
#
# Code that only one module uses (client/src/lazy.rs) goes into a file of its own, and code that several modules use into
# shared files. They name each other, so they are in one folder with a hash of all of them in its name.
set -euo pipefail
[ "${TRUNK_PROFILE:-}" = release ] || exit 0
# shellcheck source=tools/lib.sh
. "$(dirname "$0")/lib.sh"

page=pulseboard-client
linked="$target/wasm32-unknown-unknown/wasm-release/$page.wasm"
work="$target/split"
rm -rf "$work"
mkdir -p "$work/page"

wasm-split-cli --target web --out-name "$page" "$linked" "$work" >"$work/log" 2>&1 || {
    cat "$work/log" >&2
    die "the page cannot be split; see above"
}
# Modules share the table of functions, so it has to be exported.
wasm-bindgen --target web --no-typescript --keep-lld-exports --out-dir "$work/bound" --out-name "$page" "$work/$page.wasm"

cp "$work/bound/$page.js" "$work/__wasm_split.js" "$work/page"
for wasm in "$work/bound/${page}_bg.wasm" "$work"/{split,chunk}_*.wasm; do
    wasm-opt --flatten --rereloop -Oz -Oz --enable-bulk-memory --enable-nontrapping-float-to-int --enable-sign-ext \
        --enable-mutable-globals --enable-reference-types --enable-multivalue "$wasm" -o "$work/page/$(basename "$wasm")"
done
hash_of() { cat "$@" | sha256sum | head -c 16; }
folder="page-$(hash_of "$work"/page/*)"

# The files of each module, for the server's preload headers. The loader names the chunks that each module waits for.
FOLDER="$folder" perl -0777 -ne '
    my @modules;
    while (/export const __wasm_split_load_(\w+) = .*?\n, \[([^\]]*)\]\)\);/sg) {
        my ($name, $chunks) = ($1, $2);
        my @files = ("split_$name", map { "chunk_$_" } $chunks =~ /__chunk_(\d+)/g);
        push @modules, qq("$name": [) . join(", ", map { qq("$ENV{FOLDER}/$_.wasm") } @files) . "]";
    }
    print "{\n  ", join(",\n  ", @modules), "\n}\n";
' "$work/__wasm_split.js" >"$work/modules.json"
grep -q '"' "$work/modules.json" || die "wasm-split-cli writes its loader in another way now: change tools/split.sh"

index="$TRUNK_STAGING_DIR/index.html"
# One stylesheet: nothing is painted before all of them are there, and a browser has six connections for them and the rest.
mapfile -t styles < <(perl -ne 'print "$1\n" if m{<link rel="stylesheet" href="/([^"]+)"}' "$index")
[ "${#styles[@]}" -gt 0 ] || die "trunk names stylesheets in another way now: change tools/split.sh"
(cd "$TRUNK_STAGING_DIR" && cat "${styles[@]}" && rm "${styles[@]}") >"$work/style.css"
style="style-$(hash_of "$work/style.css").css"
mv "$work/style.css" "$TRUNK_STAGING_DIR/$style"
STYLE="$style" perl -0777 -pi -e '
    my $one = qq{<link rel="stylesheet" href="/$ENV{STYLE}"/>};
    s{<link rel="stylesheet" [^>]*>\s*}{ my $first = $one; $one = ""; $first }ge;
' "$index"

# The files of the folder instead of the two that trunk has made. The loader is preloaded too, so that nobody waits for its
# name.
rm "$TRUNK_STAGING_DIR/$page"-*
perl -pi -e "s{/$page-[0-9a-f]+(_bg\.wasm|\.js)}{/$folder/$page\$1}g" "$index"
perl -pi -e "s{(<link rel=\"modulepreload\" href=\"/$folder/)$page(\.js\"[^>]*>)}{\$&\$1__wasm_split\$2}" "$index"
grep -q "/$folder/${page}_bg.wasm" "$index" && grep -q "/$folder/$page.js" "$index" &&
    grep -q "/$folder/__wasm_split.js" "$index" ||
    die "trunk names the files of the page in another way now: change tools/split.sh"

# A proxy may serve all of this below any path, so the page has relative addresses, also of the root (client/src/route.rs).
# A board is one level deeper: it has a file of its own, which the server sends for /b/…
relative() { # relative ROOT: the page, with addresses that begin at ROOT
    ROOT="$1" perl -pe 's{(?<=["\x27])/(?=(?:page|style)-[0-9a-f]+[./])}{$ENV{ROOT}}g;
        s{(data-root|class="wordmark" href)="/"}{$1="$ENV{ROOT}"}g' "$index"
}
relative ../ >"$work/board.html"
relative ./ >"$work/index.html"
for made in index board; do
    ! grep -qE "(href|src|data-root)=\"/|(from|module_or_path:) '/" "$work/$made.html" ||
        die "an address of the page begins at the root of its host: change tools/split.sh"
done
mv "$work/board.html" "$work/index.html" "$work/modules.json" "$TRUNK_STAGING_DIR"
mv "$work/page" "$TRUNK_STAGING_DIR/$folder"
