#!/usr/bin/env bash
# Installs what a target of the Makefile needs and is not there yet.
# Usage: tools/setup.sh PART…   with the parts rust, lint, client, browser, proxies, musl, package, clients, bench, attack, fuzz, deny, postgres
set -euo pipefail
# shellcheck source=tools/lib.sh
. "$(dirname "$0")/lib.sh"

trunk_version=0.21.14
split_version=0.2.4
# Makes a Python client of the OpenAPI document; a test runs it.
openapi_client_version=0.29.1
# The generated JavaScript and the tool must agree to the last digit: read it from where cargo does.
bindgen_version="$(sed -n 's/^wasm-bindgen = "=\([0-9.]*\)"$/\1/p' Cargo.toml)"
wasm=wasm32-unknown-unknown

# Packages of Debian that are missing; collected, so that apt runs once.
packages=()

want() { # want COMMAND PACKAGE…: the packages, where the command is missing
    local command="$1"
    shift
    have "$command" || packages+=("$@")
}

# tools/bin/wasm-opt is only a stand-in.
have_wasm_opt() { [ "$(type -ap wasm-opt | wc -l)" -gt 1 ]; }

apt_install() {
    [ "${#packages[@]}" -gt 0 ] || return 0
    have apt-get || die "this needs ${packages[*]} (names of Debian's packages); install them and try again"
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        have sudo || die "not root, and there is no sudo; install by hand: apt-get install ${packages[*]}"
        as_root=(sudo)
        # With nobody at the keyboard, asking for a password would wait for ever.
        [ -t 0 ] || as_root=(sudo -n)
    fi
    say "Installing from Debian: ${packages[*]}"
    "${as_root[@]}" apt-get update -qq || die "apt-get update failed; see above"
    # Proxies, mosquitto, VictoriaMetrics and Prometheus are wanted as programs, not as servers: not now, and not after the next boot.
    local policy=/usr/sbin/policy-rc.d guarded=
    if [ ! -e "$policy" ]; then
        guarded=yes
        printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
        "${as_root[@]}" chmod +x "$policy"
        # shellcheck disable=SC2064  # as it is now: the variables are local
        trap "${as_root[*]} rm -f $policy" EXIT
    fi
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${packages[@]}" </dev/null >"$stamps/apt.log" 2>&1 || {
        tail -n 20 "$stamps/apt.log" >&2
        die "apt-get could not install: ${packages[*]}"
    }
    if [ "$guarded" ]; then
        "${as_root[@]}" rm -f "$policy"
        trap - EXIT
    fi
    local service
    for service in nginx caddy haproxy varnish varnishncsa squid mosquitto victoria-metrics prometheus postgresql; do
        if [[ -d /run/systemd/system && " ${packages[*]} " == *" ${service%ncsa}"* ]]; then
            "${as_root[@]}" systemctl disable --quiet "$service"
        fi
    done
    packages=()
}

rust_toolchain() {
    have cargo || die "there is no cargo; install Rust from https://rustup.rs and try again"
    # In a project with a rust-toolchain.toml cargo is a proxy: it answers only if that toolchain is there.
    if ! cargo --version >/dev/null 2>&1; then
        say "Installing the stable Rust toolchain"
        rustup toolchain install stable --profile minimal --no-self-update
    fi
}

rust_target() { # rust_target TARGET
    [ ! -d "$(rustc --print target-libdir --target "$1")" ] || return 0
    have rustup || die "rustc cannot build for $1, and there is no rustup to add it"
    say "Adding the Rust target $1"
    rustup target add "$1"
}

rust_component() { # rust_component NAME SUBCOMMAND
    ! cargo "$2" --version >/dev/null 2>&1 || return 0
    have rustup || die "cargo $2 is missing, and there is no rustup to add it"
    say "Adding the Rust component $1"
    rustup component add "$1"
}

# Builds a tool of Rust. Tools run only for a moment, so half the time to build them is worth more than their speed.
# They share a target folder, because they share many crates.
tool_install() {
    CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=1 \
        CARGO_TARGET_DIR="$target/tools" cargo install --quiet --force "$@"
}

version_of() { "$1" --version 2>/dev/null | sed 's/^[^ ]* //; s/ .*//'; }

client_tools() {
    if [ "$(version_of wasm-bindgen || true)" != "$bindgen_version" ] || ! have wasm-bindgen-test-runner; then
        say "Installing wasm-bindgen $bindgen_version (about 2 minutes, once)"
        # Without --locked: its lock file asks for a crate that not every mirror serves.
        tool_install wasm-bindgen-cli --version "$bindgen_version"
    fi
    # It has no --version to ask.
    if ! have wasm-split-cli || ! cargo install --list | grep -q "^wasm_split_cli_support v$split_version:"; then
        say "Installing wasm-split-cli $split_version (about a minute, once)"
        tool_install --locked wasm_split_cli_support --version "$split_version" --features build-binary
    fi
    if [ "$(version_of trunk || true)" != "$trunk_version" ]; then
        say "Installing trunk $trunk_version (about 6 minutes, once)"
        tool_install --locked trunk --version "$trunk_version"
    fi
}

openapi_client() {
    local venv="$target/openapi-client"
    if [ "$("$venv/bin/openapi-python-client" --version 2>/dev/null || true)" != \
        "openapi-python-client version: $openapi_client_version" ]; then
        say "Installing openapi-python-client $openapi_client_version"
        python3 -m venv --clear "$venv"
        "$venv/bin/pip" install --quiet --disable-pip-version-check \
            "openapi-python-client==$openapi_client_version"
    fi
}

# Clients of others that the tests run (server/tests/clients), each in the version that is written there.
test_clients() {
    local from=server/tests/clients to="$target/clients" wanted
    wanted="$(cat "$from/requirements.txt" "$from/package.json" | sha256sum)"
    [ "$wanted" != "$(cat "$stamps/clients" 2>/dev/null)" ] || return 0
    say "Installing the clients that tests run, from PyPI and npm (about a minute, once)"
    rm -rf "$to"
    mkdir -p "$to/node"
    python3 -m venv "$to/python"
    "$to/python/bin/pip" install --quiet --disable-pip-version-check --requirement "$from/requirements.txt"
    cp "$from/package.json" "$to/node"
    # Node.js itself is one of the wheels.
    PATH="$to/python/bin:$PATH" npm install --prefix "$to/node" --no-fund --no-audit --no-package-lock --ignore-scripts --silent
    printf '%s' "$wanted" >"$stamps/clients"
}

# The bundled SQLite is C.
want cc gcc libc6-dev
want pkg-config pkg-config
for part in "$@"; do
    case "$part" in
        rust | lint | deny) ;;
        client)
            have_wasm_opt || packages+=(binaryen)
            want brotli brotli
            want perl perl
            ;;
        browser)
            want curl curl ca-certificates
            want chromium chromium
            want chromedriver chromium-driver
            ;;
        proxies)
            # In /usr/sbin, which is not in the path of everyone.
            [ -x /usr/sbin/nginx ] || want nginx nginx-light
            want caddy caddy
            [ -x /usr/sbin/haproxy ] || want haproxy haproxy
            [ -x /usr/sbin/apache2 ] || want apache2 apache2-bin
            [ -x /usr/sbin/varnishd ] || want varnishd varnish
            [ -x /usr/sbin/squid ] || want squid squid
            ;;
        musl)
            want musl-gcc musl-tools
            ;;
        package)
            want dpkg-deb dpkg
            want python3 python3
            python3 -c 'import ensurepip, venv' 2>/dev/null || packages+=(python3-venv)
            ;;
        clients)
            want curl curl ca-certificates
            want wget wget
            want promtool prometheus
            [ -x /usr/sbin/mosquitto ] || want mosquitto mosquitto
            want mosquitto_sub mosquitto-clients
            # The second is what its plugin write_http needs.
            [ -x /usr/sbin/collectd ] || packages+=(collectd-core)
            ldconfig -p | grep -q libyajl || packages+=(libyajl2)
            # Debian has venv in a package of its own.
            python3 -c 'import ensurepip, venv' 2>/dev/null || packages+=(python3 python3-venv)
            ;;
        bench)
            [ -x /usr/sbin/nginx ] || want nginx nginx-core
            [ -e /usr/lib/nginx/modules/ngx_nchan_module.so ] || packages+=(libnginx-mod-nchan)
            want victoria-metrics victoria-metrics
            ;;
        postgres)
            [ -d /usr/lib/postgresql ] || packages+=(postgresql)
            want setpriv util-linux
            ;;
        attack)
            want prlimit util-linux
            [ -e "/usr/lib/$(uname -m)-linux-gnu/faketime/libfaketimeMT.so.1" ] || packages+=(libfaketime)
            ;;
        fuzz)
            want c++ g++
            ;;
        *) die "setup.sh knows rust, lint, client, browser, proxies, musl, package, clients, bench, attack, fuzz, deny and postgres, not '$part'" ;;
    esac
done
apt_install
rust_toolchain
for part in "$@"; do
    case "$part" in
        lint)
            rust_component rustfmt fmt
            rust_component clippy clippy
            ;;
        client)
            rust_target "$wasm"
            client_tools
            ;;
        musl) rust_target "$(uname -m)-unknown-linux-musl" ;;
        clients)
            openapi_client
            test_clients
            ;;
        deny)
            if ! have cargo-deny; then
                say "Installing cargo-deny (several minutes, once)"
                tool_install --locked cargo-deny
            fi
            ;;
        fuzz)
            if ! have cargo-fuzz; then
                say "Installing cargo-fuzz (half a minute, once)"
                tool_install --locked cargo-fuzz
            fi
            ;;
    esac
done
# Half a gigabyte that nothing needs again.
rm -rf "$target/tools"
