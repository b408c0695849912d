# Every target does its own set-up, says what it does, and does nothing twice. `make help` lists them.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

export PATH := $(or $(CARGO_HOME),$(HOME)/.cargo)/bin:$(PATH)
TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
WASM := wasm32-unknown-unknown

# A step at a time: the parts share one target folder and two would only wait for each other.
.NOTPARALLEL:

.PHONY: help run dev build dist deny test bench attack fuzz chaos clean
help: ## This list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

run: build ## Build what is missing and start; ARGS="--addr 127.0.0.1:9000" passes flags on
	@echo "==> Starting, with the numbers of this machine: open the address below (Ctrl-C ends it)"
	@exec "$(TARGET)/release/pulseboard" serve --agent $(ARGS)

build: client ## The one binary, with the page in it: target/release/pulseboard
	@echo "==> Building the server (some 4 minutes the first time)"
	cargo build --release -p pulseboard-server

dev: client ## The server, and trunk in front of it that rebuilds the page on each change
	@tools/dev.sh $(ARGS)

dist: ## What people install, in target/dist: a static binary, an archive, a .deb and a wheel
	@tools/setup.sh package
	@tools/dist.sh archive deb wheel

deny: ## Check the licences, sources and known faults of all dependencies
	@tools/setup.sh deny
	cargo deny check

test: lint test-native test-client test-e2e ## Everything that is checked before a change goes in
	@echo "==> All green"

clean: ## Remove what was built; the tools and the data stay
	cargo clean
	rm -rf dist

# The parts, in the order in which they need each other: the server embeds the page, so nothing compiles before it.

.PHONY: client setup-test lint test-native test-client test-e2e
client:
	@tools/setup.sh rust client
	@tools/client.sh

setup-test:
	@tools/setup.sh rust lint client browser proxies package clients attack postgres

lint: setup-test client
	@tools/client.sh held
	@echo "==> Formatting and lints"
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo clippy -p pulseboard-shared --target $(WASM) -- -D warnings
	cargo clippy -p pulseboard-client --all-targets --target $(WASM) -- -D warnings
	cargo clippy -p pulseboard-client --features split --target $(WASM) -- -D warnings

test-native: setup-test client
	@echo "==> Unit, property and integration tests"
	cargo test --workspace --exclude pulseboard-e2e

test-client: setup-test
	@echo "==> The page's parts in headless Chromium, with the flag of the real page (tools/client.sh)"
	CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS="--cfg erase_components" \
	CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER=wasm-bindgen-test-runner \
	CHROMEDRIVER="$$(command -v chromedriver)" \
	cargo test -p pulseboard-client --target $(WASM)

# The binary that the tests above built already.
test-e2e: setup-test client
	@echo "==> A real browser against the real binary"
	cargo build -p pulseboard-server
	@tools/dist.sh --debug deb wheel
	PULSEBOARD_BIN="$(TARGET)/debug/pulseboard" PULSEBOARD_DIST="$(TARGET)/dist" \
	cargo test -p pulseboard-e2e -- --test-threads 2

# How long each phase takes and how often it is repeated, how many series exist, and where the tables go. All of it takes
# some 45 minutes; PHASES="--seconds 2 --rounds 1" SERIES=20000 RECORD= tries it out in some ten.
PHASES ?= --seconds 5 --rounds 3
SERIES ?= 1000000
RECORD ?= --record bench/RESULTS.md
TURNS ?= 10000
BENCH = PULSEBOARD_BIN="$(TARGET)/release/pulseboard" "$(TARGET)/release/pulseboard-bench"
bench: build ## Measure, side by side with other servers, and write the tables of bench/RESULTS.md (three quarters of an hour)
	@tools/setup.sh bench browser
	cargo build --release -p pulseboard-bench
	$(BENCH) machine $(RECORD)
	$(BENCH) fanout $(PHASES) $(RECORD)
	$(BENCH) fanout --readers 10000 --peers pulseboard,bare,nchan $(PHASES) $(RECORD)
	$(BENCH) fanout --readers 1000 --rate 0 $(PHASES) $(RECORD)
	$(BENCH) fanout --readers 10000 --rate 0 --peers pulseboard,bare,nchan $(PHASES) $(RECORD)
	$(BENCH) stalls $(PHASES) $(RECORD)
	$(BENCH) reconnects $(PHASES) $(RECORD)
	$(BENCH) compression $(PHASES) $(RECORD)
	$(BENCH) ingest $(PHASES) $(RECORD)
	$(BENCH) ingest --points 1000 --connections 8 $(PHASES) $(RECORD)
	$(BENCH) ingest --points 1000 --connections 32 $(PHASES) $(RECORD)
	$(BENCH) backfill --rounds 3 $(RECORD)
	$(BENCH) sizes $(RECORD)
	$(BENCH) selections $(PHASES) $(RECORD)
	$(BENCH) series --series $(SERIES) $(RECORD)
	$(BENCH) series --series $(SERIES) --points 5 $(RECORD)
	$(BENCH) series --series $$(($(SERIES) / 10)) --points 300 --patience 1200 $(RECORD)
	$(BENCH) page $(RECORD)
	$(BENCH) visit $(RECORD)
	$(BENCH) wall --turns $(TURNS) $(RECORD)

# `make attack ONLY=selectors RECORD=` runs some of them. PULSEBOARD_BIN=… NAME="attack before" attacks another build.
ONLY ?=
NAME ?= attack
attack: build ## Attack the server in every known way, and write the tables of bench/RESULTS.md (a quarter of an hour)
	@tools/setup.sh attack
	cargo build --release -p pulseboard-bench
	PULSEBOARD_BIN="$${PULSEBOARD_BIN:-$(TARGET)/release/pulseboard}" "$(TARGET)/release/pulseboard-bench" attack \
		--only "$(ONLY)" --name "$(NAME)" $(RECORD)

RUNS ?= 1000000
fuzz: client ## Fuzz every parser of outside bytes and of stored rows: RUNS=10000000 runs each
	@tools/setup.sh rust fuzz
	@tools/fuzz.sh $(RUNS)

chaos: setup-test client ## Kill -9 under load, 100 times: nothing lost, nothing twice, every reader right
	CHAOS_ROUNDS=100 cargo test -p pulseboard-server --test chaos -- --nocapture
