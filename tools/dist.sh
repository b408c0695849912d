#!/usr/bin/env bash
# Makes what people install, in target/dist/.
# Usage: tools/dist.sh [--debug] PART…   with the parts binary, archive, deb, wheel
# --debug packs the debug binary of the tests instead of the static one.
set -euo pipefail
# shellcheck source=tools/lib.sh
. "$(dirname "$0")/lib.sh"

machine="$(uname -m)"
version="$(sed -n '/^\[workspace.package\]/,/^\[/ s/^version = "\(.*\)"$/\1/p' Cargo.toml)"
dist="$target/dist"
mkdir -p "$dist"

static_binary() {
    local musl="$machine-unknown-linux-musl"
    tools/setup.sh rust client musl
    tools/client.sh
    say "Building the static binary (some 4 minutes the first time)"
    cargo build --release -p pulseboard-server --target "$musl"
    install -m 755 "$target/$musl/release/pulseboard" "$dist/pulseboard"
}

# Copies the documents for users into a folder, with the links between them intact.
documents() { # documents FOLDER
    install -D -m 644 -t "$1" README.md CHANGELOG.md
    install -D -m 644 -t "$1/docs" docs/*.md docs/*.png
    install -D -m 644 -t "$1/examples" examples/*
    chmod 755 "$1"/examples/*.sh
}

archive() {
    local name="pulseboard-$version-$machine-linux" tree
    tree="$(mktemp -d)"
    # shellcheck disable=SC2064  # as it is now: the variable is local
    trap "rm -rf '$tree'" RETURN
    install -D -m 755 "$binary" "$tree/$name/pulseboard"
    install -m 644 LICENSE-APACHE LICENSE-MIT packaging/pulseboard.service packaging/pulseboard.toml "$tree/$name/"
    documents "$tree/$name"
    tar --create --gzip --file "$dist/$name.tar.gz" --owner=0 --group=0 --directory "$tree" "$name"
    say "$dist/$name.tar.gz"
}

debian_package() {
    local arch tree package
    arch="$(dpkg --print-architecture)"
    package="$dist/pulseboard_${version}_$arch.deb"
    tree="$(mktemp -d)"
    # shellcheck disable=SC2064  # as it is now: the variable is local
    trap "rm -rf '$tree'" RETURN
    chmod 755 "$tree"
    install -D -m 755 "$binary" "$tree/usr/bin/pulseboard"
    install -D -m 644 packaging/pulseboard.service "$tree/lib/systemd/system/pulseboard.service"
    install -D -m 644 packaging/pulseboard.toml "$tree/etc/pulseboard/pulseboard.toml"
    documents "$tree/usr/share/doc/pulseboard"
    cat LICENSE-MIT LICENSE-APACHE >"$tree/usr/share/doc/pulseboard/copyright"
    install -d "$tree/DEBIAN"
    install -m 755 packaging/postinst packaging/prerm packaging/postrm "$tree/DEBIAN/"
    echo /etc/pulseboard/pulseboard.toml >"$tree/DEBIAN/conffiles"
    cat >"$tree/DEBIAN/control" <<CONTROL
Package: pulseboard
Version: $version
Architecture: $arch
Section: web
Priority: optional
Maintainer: The Pulseboard developers <pulseboard@localhost>
Installed-Size: $(du -k -s "$tree/usr" | cut -f 1)
Recommends: ca-certificates
Description: live dashboard that you push to with curl
 Push a number from anything that can run curl: everyone who has the board open
 sees it move at once, with its history. One program with SQLite inside.
CONTROL
    dpkg-deb --build --root-owner-group "$tree" "$package" >/dev/null
    say "$package"
}

if [ "${1:-}" = --debug ]; then
    shift
    binary="$target/debug/pulseboard"
else
    static_binary
    binary="$dist/pulseboard"
fi
for part in "$@"; do
    case "$part" in
        binary) ;;
        archive) archive ;;
        deb) debian_package ;;
        wheel) python3 tools/wheel.py "$binary" "$version" "$machine" "$dist" ;;
        *) die "dist.sh knows binary, archive, deb and wheel, not '$part'" ;;
    esac
done
