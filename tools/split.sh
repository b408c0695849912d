#!/usr/bin/env bash
# Cuts a page that trunk has built for release apart; run by trunk itself (Trunk.toml).
#
# What of the page has a door (client/src/lazy.rs), and what only that uses, becomes a file of its own, which is fetched when
# it is wanted. What several of them use and nobody else, the linker's table of relocations tells too: those pieces are
# small and many, so they are one file.
set -euo pipefail
[ "${TRUNK_PROFILE:-}" = release ] || exit 0
# shellcheck source=tools/lib.sh
. "$(dirname "$0")/lib.sh"

page=pulseboard-client
linked="$target/wasm32-unknown-unknown/wasm-release/$page.wasm"
work="$target/split"
rm -rf "$work"
mkdir -p "$work/done"

wasm-split-cli --target web --out-name "$page" "$linked" "$work" >"$work/log" 2>&1 || {
    cat "$work/log" >&2
    die "the page cannot be cut apart; see above"
}
# What was cut out shares the table of functions: it has to be exported.
wasm-bindgen --target web --no-typescript --keep-lld-exports --out-dir "$work/bound" --out-name "$page" "$work/$page.wasm"

features=(--enable-bulk-memory --enable-nontrapping-float-to-int --enable-sign-ext --enable-mutable-globals
    --enable-reference-types --enable-multivalue)
opt() { # opt FROM TO
    wasm-opt --flatten --rereloop -Oz -Oz "${features[@]}" "$1" -o "$2" 2>>"$work/log"
}
hash_of() { cat "$@" | sha256sum | head -c 16; }
js="$work/done/page.js" parts="$work/done/parts.js"

# Comments and indentation are for people, and there are none here.
bare='s{^\s*/\*.*?\*/\n}{}msg; s{^[ \t]*//[^\n]*\n}{}mg; s{^[ \t]+}{}mg'
# A crate below Leptos has classes for JavaScript to stream from; nobody does, but what is exported stays.
streams='s{^export class (IntoUnderlying\w+) \{.*?^\}\n(?:if \(Symbol\.dispose\)[^\n]*\n)?}{}msg;
    s{^const IntoUnderlying\w+ = .*?;\n}{}msg'
perl -0777 -pe "$streams; $bare" "$work/bound/$page.js" >"$js"
perl -0777 -e '
    my $all = join "", <>;
    my %used = map { $_ => 1 } $all =~ /\bwasm\.(\w+)/g,
        map { split /[\s,]+/ } $all =~ /const \{([^}]*)\} = initSync/g;
    my @used = sort grep { length } keys %used;
    print "[", join(",", qq({"name":"page","root":true,"reaches":[) . join(",", map { qq("$_") } @used) . "]}",
        map { qq({"name":"$_","export":"$_"}) } @used), "]\n";
' "$js" "$work/__wasm_split.js" >"$work/used.json"
wasm-metadce --graph-file "$work/used.json" "${features[@]}" "$work/bound/${page}_bg.wasm" -o "$work/used.wasm" \
    >>"$work/log" 2>&1 || { tail -n 20 "$work/log" >&2; die "what nobody uses cannot be left out; see above"; }
opt "$work/used.wasm" "$work/done/page.wasm"
# And what of the JavaScript nobody calls then.
USED="$work/used.wasm" perl -0777 -pi -e '
    open my $wasm, "<:raw", $ENV{USED} or die; my $names = do { local $/; <$wasm> };
    s{^(__wbg_\w+): function\([^)]*\) \{\n.*?^\},\n}{ index($names, $1) < 0 ? "" : $& }gmse;
' "$js"

# The pieces, one after the other, and where each of them is.
offset=0 offsets=
for piece in "$work"/chunk_*.wasm; do
    [ -f "$piece" ] || continue
    name="$(basename "$piece" .wasm)"
    opt "$piece" "$work/$name.opt"
    cat "$work/$name.opt" >>"$work/done/pieces"
    size="$(wc -c <"$work/$name.opt")"
    offsets="$offsets $name=$offset,$((offset + size))"
    offset=$((offset + size))
done
PIECES="pieces-$(hash_of "$work/done/pieces").bin" OFFSETS="$offsets" perl -0777 -pe '
    my %at = map { split /=/ } split " ", $ENV{OFFSETS};
    my $found = s{
        const\ src\ =\ fetch\(new\ URL\("\./(chunk_\d+)\.wasm",\ import\.meta\.url\)\);
        \s*src\.catch\(\(\)\ =>\ \{\}\);
        \s*return\ async\ \(imports\)\ =>\ \(WebAssembly\.instantiateStreaming\(src,\ imports\)\);
    }{
        my ($start, $end) = split /,/, $at{$1};
        "const src = piece($start, $end);\nsrc.catch(() => {});\n"
            . "return async (imports) => WebAssembly.instantiate(await src, imports);"
    }gex;
    die "wasm-split-cli writes its loader in another way now: mend tools/split.sh\n" if $found != keys %at;
    $_ .= qq{
        let pieces;
        function piece(start, end) {
            if (pieces === undefined) {
                const fetched = fetch(new URL("./$ENV{PIECES}", import.meta.url))
                    .then((answer) => answer.ok ? answer.arrayBuffer() : Promise.reject(new Error(answer.statusText)));
                pieces = fetched;
                fetched.catch(() => { if (pieces === fetched) pieces = undefined; });
            }
            return pieces.then((bytes) => bytes.slice(start, end));
        }
    };
' "$work/__wasm_split.js" | perl -0777 -pe "$bare" >"$parts"
mv "$work/done/pieces" "$work/done/pieces-$(hash_of "$work/done/pieces").bin"

# Names with a hash of what is in them, as trunk gives them: they are cached for ever.
for part in "$work"/split_*.wasm; do
    name="$(basename "$part" .wasm)"
    opt "$part" "$work/$name.opt"
    hashed="${name#split_}-$(hash_of "$work/$name.opt").wasm"
    mv "$work/$name.opt" "$work/done/$hashed"
    perl -pi -e "s{\./$name\.wasm}{./$hashed}" "$parts"
done
# They import each other, so they have one hash: of all but that, and of how it is put in.
hash="$(hash_of "$js" "$parts" tools/split.sh)"
wasm="$page-$(hash_of "$work/done/page.wasm").wasm"
# Only where the file is named: the module in the wasm keeps the name that it has.
perl -pi -e "s{from \"\./__wasm_split\.js\"}{from \"./parts-$hash.js\"}" "$js"
perl -pi -e "s{\./$page\.js}{./$page-$hash.js}" "$parts"
mv "$js" "$work/done/$page-$hash.js"
mv "$parts" "$work/done/parts-$hash.js"
mv "$work/done/page.wasm" "$work/done/$wasm"

# One stylesheet: nothing is painted before all of them are there, and a browser has six connections for them and the rest.
index="$TRUNK_STAGING_DIR/index.html"
mapfile -t styles < <(perl -ne 'print "$1\n" if m{<link rel="stylesheet" href="/([^"]+)"}' "$index")
[ "${#styles[@]}" -gt 0 ] || die "trunk names stylesheets in another way now: mend tools/split.sh"
(cd "$TRUNK_STAGING_DIR" && cat "${styles[@]}" && rm "${styles[@]}") >"$work/style.css"
style="style-$(hash_of "$work/style.css").css"
mv "$work/style.css" "$work/done/$style"
STYLE="$style" perl -0777 -pi -e '
    my $one = qq{<link rel="stylesheet" href="/$ENV{STYLE}"/>};
    s{<link rel="stylesheet" [^>]*>\s*}{ my $first = $one; $one = ""; $first }ge;
' "$index"

# In the place of the one file that trunk has made of it. What it imports is named as well, so that nobody waits for its name.
rm "$TRUNK_STAGING_DIR"/$page-*
perl -pi -e "s{/$page-[0-9a-f]+_bg\.wasm}{/$wasm}g; s{/$page-[0-9a-f]+\.js}{/$page-$hash.js}g" "$index"
perl -pi -e "s{(<link rel=\"modulepreload\" href=\"/)$page-$hash(\.js\"[^>]*>)}{\$&\$1parts-$hash\$2}" "$index"
grep -q "/$wasm" "$index" && grep -q "/$page-$hash.js" "$index" && grep -q "\"/parts-$hash.js" "$index" ||
    die "trunk names the files of the page in another way now: mend tools/split.sh"

# A proxy may serve all of this below a path that nobody here knows, so the page has relative addresses, also of its root
# (client/src/route.rs). That of a board is a level deeper: a file of its own, which the server gives out at /b/…
lead() { # lead TO: the page, with its addresses led to there
    TO="$1" perl -pe 's{(?<=["\x27])/(?=(?:pulseboard-client|parts|style)-[0-9a-f]+[._])}{$ENV{TO}}g;
        s{(data-root|class="wordmark" href)="/"}{$1="$ENV{TO}"}g' "$index"
}
lead ../ >"$work/done/board.html"
lead ./ >"$work/done/index.html"
for made in index board; do
    ! grep -qE "(href|src|data-root)=\"/|(from|module_or_path:) '/" "$work/done/$made.html" ||
        die "an address of the page counts from the root of its host: mend tools/split.sh"
done
mv "$work"/done/* "$TRUNK_STAGING_DIR"
