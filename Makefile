# What everybody runs:
#
#   make demo    build, start the local endpoint, send one encrypted chat through it from C, print the reply
#   make test    every test, in every language (some 35 minutes on 2 cores the first time)
#
# and what changes the library call for:
#
#   make lint    formatting, clippy for both crypto providers, documentation without warnings, header drift
#   make header  writes include/nomyo.h anew
#   make install PREFIX=/usr/local DESTDIR=   the release library, headers, nomyo.pc and nomyoConfig.cmake
#   make test-cinstall      compares `cargo cinstall` (cargo-c) with `make install`
#   make go-lib  builds the static library, and puts it and the header into bindings/go
#   make bench   the figures of benches/RESULTS.md, measured again
#   make soak    100 000 requests by 64 threads, one in ten with a fault, and nothing stays
#
# Both commands at the top install what is missing, or say what to install.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := demo

TARGET := $(CURDIR)/target
DEBUG := $(TARGET)/debug
PURE := $(TARGET)/rustcrypto/debug
LOGS := $(TARGET)/test-logs
VENV := $(TARGET)/venv
HOST_TRIPLE = $(shell rustc -vV | sed -n 's/^host: //p')
ASAN = $(TARGET)/asan/$(HOST_TRIPLE)/debug
WITH_ENDPOINT := NOMYO_TEST_ENDPOINT=$(DEBUG)/endpoint NOMYO_TEST_STATE=$(TARGET)/endpoint-state tests/with_endpoint.sh
CC_EXAMPLE := -Wall -Wextra -Wpedantic -Werror -Iinclude -L$(DEBUG) -Wl,-rpath,$(DEBUG)
GO_LIB = bindings/go/lib/$(shell go env GOOS)_$(shell go env GOARCH)/libnomyo.a

.PHONY: demo test lint header install go-lib go-debug-lib node-debug-addon bench tally tools tss json library \
    soak faults-cancel test-tools test-rust test-c test-faults test-memory test-attestation test-cpp test-cinstall test-go \
    test-python test-node test-node-asan test-sdk test-keys test-scenarios test-examples

# --- set-up

tools:
	@tests/require.sh cc=build-essential make=build-essential
	@command -v cargo >/dev/null || { echo "please install Rust 1.89 or newer: https://rustup.rs" >&2; exit 1; }

test-tools: tools tss
	@tests/require.sh g++=g++ valgrind=valgrind gcore=gdb nm=binutils strace=strace openssl=openssl nsenter=util-linux \
	    go=golang-go pkg-config=pkgconf python3=python3 swtpm=swtpm node=nodejs npm=npm
	@go version | awk '{ split(substr($$3, 3), v, "."); exit !(v[1] > 1 || v[2] >= 22) }' || \
	    { echo "please install Go 1.22 or newer (Debian 13 has it, or https://go.dev/dl)" >&2; exit 1; }
	@node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 18 ? 0 : 1)' || \
	    { echo "please install Node 18 or newer (Debian 12 has it, or https://nodejs.org)" >&2; exit 1; }
	@mkdir -p $(LOGS)
	@python3 -c 'import venv, ensurepip' 2>/dev/null || tests/require.sh no-venv=python3-venv

# The TPM software stack, which the tests hold what we read and what the endpoint says against.
tss:
	@tests/require.sh pkg-config=pkg-config
	@pkg-config --exists tss2-esys || tests/require.sh no-tss2=libtss2-dev

# What C and C++ programs read JSON with.
json:
	@test -e /usr/include/cjson/cJSON.h || tests/require.sh no-cjson=libcjson-dev
	@test -e /usr/include/nlohmann/json.hpp || tests/require.sh no-json=nlohmann-json3-dev

$(VENV)/ready: bindings/python/requirements-test.txt
	python3 -m venv --clear $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r bindings/python/requirements-test.txt
	touch $@

# The compiler of TypeScript, for the tests alone: the package depends on nothing.
NODE_TESTS := bindings/node/tests

$(NODE_TESTS)/node_modules/ready: $(NODE_TESTS)/package-lock.json
	npm ci --silent --no-audit --no-fund --prefix $(NODE_TESTS)
	touch $@

# The library, under the name that programs ask the loader for, and the endpoint.
library: tools
	cargo build --workspace
	@ln -sf libnomyo.so $(DEBUG)/libnomyo.so.0

# The addon where Node's package looks for it: not committed, since it is built. A new file, since the old one may be in use.
NODE_ADDON = $(shell node -p "require('./bindings/node/lib/addon_path.js').addonPath()")

node-debug-addon: library
	@mkdir -p $(dir $(NODE_ADDON))
	strip --strip-debug -o $(NODE_ADDON).new $(DEBUG)/libnomyo_node.so
	mv $(NODE_ADDON).new $(NODE_ADDON)

# The library with the pure-Rust provider.
$(PURE)/libnomyo.so: library
	cargo build --lib --no-default-features --features capi,rustcrypto,attestation --target-dir $(TARGET)/rustcrypto
	@ln -sf libnomyo.so $@.0

# --- the first command

demo: library
	@$(CC) -std=c11 $(CC_EXAMPLE) examples/c/chat.c -o $(TARGET)/chat -lnomyo
	@echo "--- an encrypted chat, from C, through a local endpoint:"
	@echo "Hello from C" | $(WITH_ENDPOINT) sh -c \
	    '$(TARGET)/chat --url "$$NOMYO_TEST_BASE_URL" --ca "$$NOMYO_TEST_CA_FILE" --tier high'

# --- the second command

# What is measured by the kernel's figures alone, the others two at a time: most of them wait more than they work. What
# each of these printed comes when it has ended.
ALONE := c memory faults
SUITES := rust attestation cpp go python node node-asan sdk keys scenarios examples

test: test-tools library
	@rm -f $(LOGS)/*
	$(MAKE) $(ALONE:%=test-%)
	$(MAKE) -j2 --output-sync=recurse $(SUITES:%=test-%)
	$(MAKE) tally

tally:
	@tests/tally.sh $(LOGS)/*.log

# Packages of the workspace share what they build as long as the same ones are named, all of them where possible.
test-rust: test-tools
	cargo test --workspace 2>&1 | tee $(LOGS)/rust.log
	cargo test -p nomyo -p nomyo-node --features nomyo/rustcrypto --lib 2>&1 | tee $(LOGS)/rust-both.log
	cargo test --no-default-features --features capi,rustcrypto,attestation 2>&1 | tee $(LOGS)/rust-pure.log

# What passes megabytes takes minutes under valgrind and shows nothing that these do not.
UNDER_VALGRIND := library arguments request_json sealed attestation chat refusals threads fork locks

test-c: test-tools library $(ASAN)/libnomyo.so
	$(MAKE) -C tests/c LIB_DIR=$(DEBUG) check-header check-symbols 2>&1 | tee $(LOGS)/c-header.log
	NOMYO_TEST_ENDPOINT=$(DEBUG)/endpoint NOMYO_TEST_STATE=$(TARGET)/endpoint-state \
	    $(MAKE) -C tests/c LIB_DIR=$(DEBUG) OUT=$(TARGET)/c-tests SOAK_REQUESTS=5000 run 2>&1 | tee $(LOGS)/c.log
	NOMYO_TEST_ENDPOINT=$(DEBUG)/endpoint NOMYO_TEST_STATE=$(TARGET)/endpoint-state \
	    $(MAKE) -C tests/c LIB_DIR=$(DEBUG) OUT=$(TARGET)/c-tests PROGRAMS="$(UNDER_VALGRIND)" run-valgrind 2>&1 | tee $(LOGS)/c-valgrind.log
	NOMYO_TEST_ENDPOINT=$(DEBUG)/endpoint NOMYO_TEST_STATE=$(TARGET)/endpoint-state \
	    $(MAKE) -C tests/c LIB_DIR=$(ASAN) OUT=$(TARGET)/c-tests run-asan 2>&1 | tee $(LOGS)/c-asan.log

# The library itself and the addon under AddressSanitizer. RUSTC_BOOTSTRAP lets the stable compiler take -Z sanitizer. With the
# system's allocator it sees what the library frees; in the vault it would not.
$(ASAN)/libnomyo.so: $(shell find src bindings/node/src bindings/node/build.rs bindings/node/Cargo.toml Cargo.toml Cargo.lock build.rs cbindgen.toml -type f)
	RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zsanitizer=address --cfg nomyo_system_allocator" cargo build -p nomyo -p nomyo-node --target $(HOST_TRIPLE) --target-dir $(TARGET)/asan
	touch $@

# Faults of every kind, other people's servers, a bad network, cancelling: two at a time, since they mostly wait. Each runs
# in network and mount namespaces of its own, where these are allowed.
FAULTS := table matrix peers link
IN_NAMESPACE := NOMYO_TEST_ENDPOINT=$(DEBUG)/endpoint NOMYO_TEST_STATE=$(TARGET)/endpoint-state tests/faults/namespace.sh

test-faults: test-tools library $(ASAN)/libnomyo.so
	@tests/require.sh nginx=nginx-light tinyproxy=tinyproxy-bin microsocks=microsocks ip=iproute2 unshare=util-linux openssl=openssl
	@mkdir -p $(LOGS)
	$(MAKE) --keep-going --output-sync=target -j2 $(FAULTS:%=faults-%) faults-cancel

$(FAULTS:%=faults-%): faults-%:
	$(IN_NAMESPACE) python3 tests/faults/run.py --library $(DEBUG)/libnomyo.so --endpoint $(DEBUG)/endpoint \
	    --state $(TARGET)/endpoint-state $* 2>&1 | tee $(LOGS)/$@.log

faults-cancel:
	$(IN_NAMESPACE) $(MAKE) -C tests/c LIB_DIR=$(DEBUG) OUT=$(TARGET)/c-tests PROGRAMS=cancel run 2>&1 | tee $(LOGS)/$@.log
	$(IN_NAMESPACE) $(MAKE) -C tests/c LIB_DIR=$(ASAN) OUT=$(TARGET)/c-tests PROGRAMS=cancel run-asan 2>&1 | tee $(LOGS)/$@-asan.log

# A second process looks for secrets, at every moment at which the library waits or returns; with both providers.
SCANNED_KEY := nomyo-memory-test-Qk2v8sXf
SCAN = $(WITH_ENDPOINT) --api-key $(SCANNED_KEY) --reveal-keys -- python3 tests/memory/run.py --api-key $(SCANNED_KEY)

test-memory: test-tools library go-debug-lib $(PURE)/libnomyo.so $(VENV)/ready
	$(SCAN) --library-dir $(DEBUG) --go --sdk-python $(VENV)/bin/python 2>&1 | tee $(LOGS)/memory.log
	$(SCAN) --library-dir $(PURE) 2>&1 | tee $(LOGS)/memory-pure.log

# Genuine quotes and every lie about one, from two endpoints that attest with software TPMs; with both providers.
ATTEST := NOMYO_TEST_ENDPOINT=$(DEBUG)/endpoint NOMYO_TEST_STATE=$(TARGET)/endpoint-state tests/attestation/run.sh

test-attestation: test-tools library $(PURE)/libnomyo.so
	$(CC) -std=c11 -D_GNU_SOURCE -Itests/c $(CC_EXAMPLE) tests/attestation/live.c -o $(TARGET)/live-quotes -lnomyo
	$(ATTEST) $(TARGET)/live-quotes 2>&1 | tee $(LOGS)/attestation.log
	$(ATTEST) env LD_LIBRARY_PATH=$(PURE) $(TARGET)/live-quotes 2>&1 | tee $(LOGS)/attestation-pure.log
	@tests/require.sh tpm2_checkquote=tpm2-tools
	tests/checkquote.sh 2>&1 | tee $(LOGS)/checkquote.log

CXX_TEST := -std=c++17 -Wall -Wextra -Wpedantic -Werror -Ibindings/c -Iinclude -L$(DEBUG) -Wl,-rpath,$(DEBUG)
CXX_ASAN = $(subst $(DEBUG),$(ASAN),$(CXX_TEST)) -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined

# nomyo.hpp, its objects dropped in every order, and programs that are built from what was installed: by pkg-config,
# statically, by CMake, and as the page of documentation says.
test-cpp: test-tools library $(ASAN)/libnomyo.so
	@tests/require.sh cmake=cmake pkg-config=pkg-config
	$(CXX) $(CXX_TEST) bindings/c/tests/test_nomyo.cpp -o $(TARGET)/test_nomyo -lnomyo -lpthread
	$(WITH_ENDPOINT) $(TARGET)/test_nomyo 2>&1 | tee $(LOGS)/cpp.log
	@ln -sf libnomyo.so $(ASAN)/libnomyo.so.0
	$(CXX) $(CXX_ASAN) bindings/c/tests/torture.cpp -o $(TARGET)/torture_nomyo -lnomyo -lpthread
	$(TARGET)/torture_nomyo tests/fixtures/protocol 2>&1 | tee $(LOGS)/torture-cpp.log
	rm -rf $(TARGET)/installed
	bindings/c/install/install.sh $(DEBUG) $(TARGET)/installed
	$(WITH_ENDPOINT) bindings/c/tests/installed.sh $(TARGET)/installed $(TARGET)/consumers 2>&1 | tee $(LOGS)/install.log
	$(WITH_ENDPOINT) bindings/c/tests/page.sh $(TARGET)/installed $(TARGET)/page 2>&1 | tee $(LOGS)/page-cpp.log

# What `cargo cinstall` installs is what `make install` does. Not a part of `make test`: cargo-c takes long to build.
CINSTALL := $(TARGET)/cinstall
test-cinstall: test-tools library
	@cargo cinstall --version >/dev/null 2>&1 || { echo "please install cargo-c: cargo install cargo-c --locked" \
	    "(it needs libssl-dev and libcurl4-openssl-dev)" >&2; exit 1; }
	rm -rf $(CINSTALL)
	$(MAKE) install PREFIX=$(CINSTALL)/prefix DESTDIR=$(CINSTALL)/make
	cargo cinstall --release --target-dir=$(TARGET)/cargo-c --prefix=$(CINSTALL)/prefix --libdir=lib \
	    --destdir=$(CINSTALL)/cargo
	bindings/c/tests/cinstall.sh $(CINSTALL)/{make,cargo}$(CINSTALL)/prefix 2>&1 | tee $(LOGS)/cinstall.log
	mv $(CINSTALL)/cargo$(CINSTALL)/prefix $(CINSTALL)/prefix
	$(WITH_ENDPOINT) bindings/c/tests/installed.sh $(CINSTALL)/prefix $(CINSTALL)/scratch 2>&1 | tee $(LOGS)/cinstalled.log

# With the debug library, which is built already. TestTorture alone takes half of the time.
GO_TEST_KEY := go-test-key
GO_TEST = NOMYO_TEST_API_KEY=$(GO_TEST_KEY) $(WITH_ENDPOINT) --api-key $(GO_TEST_KEY) --

go-debug-lib: library
	$(call into-go,$(DEBUG))

test-go: test-tools go-debug-lib
	test -z "$$(gofmt -l bindings/go examples/go tests/memory/go)"
	go -C bindings/go vet ./...
	GODEBUG=cgocheck=1 GOGC=1 $(GO_TEST) go -C bindings/go test -race -count=1 -v -skip '^TestScenarios$$' . 2>&1 | tee $(LOGS)/go.log
	$(GO_TEST) tests/go_install.sh $(DEBUG) $(TARGET)/go-install 2>&1 | tee $(LOGS)/go-install.log

# The table that every language runs, and sees the same in.
SCENARIOS = $(WITH_ENDPOINT) --api-key scenario-key -- env NOMYO_TEST_API_KEY=scenario-key
SCENARIO_LANGUAGES := rust c cpp go python node

test-scenarios: test-tools json library go-debug-lib node-debug-addon $(VENV)/ready
	cargo test --workspace --test scenarios -- --nocapture 2>&1 | tee $(LOGS)/scenarios_rust.log
	$(CC) -std=c11 $(CC_EXAMPLE) -D_GNU_SOURCE -Itests/c tests/c/scenarios.c -o $(TARGET)/scenarios_c -lnomyo -lcjson -lpthread
	$(SCENARIOS) $(TARGET)/scenarios_c tests/scenarios/*.json 2>&1 | tee $(LOGS)/scenarios_c.log
	$(CXX) $(CXX_TEST) bindings/c/tests/scenarios.cpp -o $(TARGET)/scenarios_cpp -lnomyo
	$(SCENARIOS) $(TARGET)/scenarios_cpp tests/scenarios/*.json 2>&1 | tee $(LOGS)/scenarios_cpp.log
	$(GO_TEST) go -C bindings/go test -count=1 -v -run '^TestScenarios$$' . 2>&1 | tee $(LOGS)/scenarios_go.log
	NOMYO_LIBRARY=$(DEBUG)/libnomyo.so PYTHONPATH=bindings/python \
	    $(SCENARIOS) $(VENV)/bin/python bindings/python/tests/scenarios.py 2>&1 | tee $(LOGS)/scenarios_python.log
	$(SCENARIOS) node $(NODE_TESTS)/scenarios.js 2>&1 | tee $(LOGS)/scenarios_node.log
	@python3 tests/scenarios/table.py $(foreach l,$(SCENARIO_LANGUAGES),$(l)=$(LOGS)/scenarios_$(l).log)

# -X dev and asyncio's debug mode are on. The wheel that is installed holds the dev profile's library: it is built in
# seconds from what is there, and packed as a release would be. What counts locked bytes has a process of its own: the SDK,
# unprotected in other tests, leaves locks on memory that it has freed.
test-python: test-tools library $(VENV)/ready
	cd bindings/python && $(VENV)/bin/mypy
	NOMYO_LIBRARY=$(DEBUG)/libnomyo.so PYTHONPATH=bindings/python \
	    $(WITH_ENDPOINT) $(VENV)/bin/python -X dev -m pytest -q -ra --ignore-glob='*/test_protect_*' \
	    bindings/python/tests 2>&1 | tee $(LOGS)/python.log
	NOMYO_LIBRARY=$(DEBUG)/libnomyo.so PYTHONPATH=bindings/python \
	    $(WITH_ENDPOINT) $(VENV)/bin/python -X dev -m pytest -q -ra bindings/python/tests/test_protect_*.py 2>&1 | tee $(LOGS)/python-protect.log

# Types, then everything else against one endpoint. The addon that is installed is the dev profile's, as with Python.
test-node: test-tools node-debug-addon $(NODE_TESTS)/node_modules/ready
	$(NODE_TESTS)/node_modules/.bin/tsc -p $(NODE_TESTS)
	$(WITH_ENDPOINT) node --test --test-reporter=spec $(wildcard $(NODE_TESTS)/*.test.js $(NODE_TESTS)/memory/*.test.js) 2>&1 | tee $(LOGS)/node.log

# The addon under AddressSanitizer, in a copy of the package. Node takes the runtime from the C compiler, as the C tests do.
NODE_ASAN := $(TARGET)/node-asan
NODE_ASAN_TESTS := memory/sanitizer memory/buffers memory/vault memory/threads abort processes views

test-node-asan: test-tools library $(ASAN)/libnomyo.so
	@rm -rf $(NODE_ASAN) && mkdir -p $(NODE_ASAN)
	tar -C bindings/node --exclude=./prebuilds --exclude=node_modules -cf - . | tar -C $(NODE_ASAN) -xf -
	addon=$$(node -p "require('$(NODE_ASAN)/lib/addon_path.js').addonPath()") && mkdir -p $$(dirname $$addon) && \
	    ln $(ASAN)/libnomyo_node.so $$addon
	$(WITH_ENDPOINT) env ASAN_OPTIONS=detect_leaks=0 LD_PRELOAD=$$($(CC) -print-file-name=libasan.so) \
	    node --test $(NODE_ASAN_TESTS:%=$(NODE_ASAN)/tests/%.test.js) 2>&1 | tee $(LOGS)/node-asan.log

test-sdk: test-tools library $(VENV)/ready
	$(WITH_ENDPOINT) $(VENV)/bin/python -m pytest -q -ra tests/python_sdk 2>&1 | tee $(LOGS)/sdk.log

# Key files, rotation and pins, from outside; what depends on the crypto provider with both.
test-keys: test-tools library $(PURE)/libnomyo.so $(VENV)/ready
	NOMYO_LIBRARY=$(DEBUG)/libnomyo.so NOMYO_TEST_ENDPOINT=$(DEBUG)/endpoint \
	    $(VENV)/bin/python -m pytest -q -ra tests/keys 2>&1 | tee $(LOGS)/keys.log
	NOMYO_LIBRARY=$(PURE)/libnomyo.so \
	    $(VENV)/bin/python -m pytest -q -ra tests/keys/test_forms.py tests/keys/test_interop.py 2>&1 | tee $(LOGS)/keys-pure.log

# Every example does what it says through the endpoint, and so does the program in the README.
test-examples: test-tools json library go-debug-lib node-debug-addon $(VENV)/ready
	tests/examples.sh $(DEBUG) $(TARGET)/examples $(VENV)/bin/python 2>&1 | tee $(LOGS)/examples.log

# --- what changes the library call for

lint: tools tss
	@cargo fmt --version >/dev/null && cargo clippy --version >/dev/null || rustup component add rustfmt clippy
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo clippy --all-targets --no-default-features --features capi,rustcrypto,attestation -- -D warnings
	cargo clippy --lib --no-default-features --features aws-lc -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items
	cargo test --workspace --test header

header:
	NOMYO_WRITE_HEADER=1 cargo build --workspace

# The library with its links, both headers, and what pkg-config and CMake look for.
PREFIX ?= /usr/local
DESTDIR ?=
install: tools
	cargo build --release --lib
	bindings/c/install/install.sh $(TARGET)/release $(PREFIX) "$(DESTDIR)"

# What the Go package links, and compiles against: not committed, since it is built.
go-lib: tools
	cargo build --release --lib
	$(call into-go,$(TARGET)/release)

define into-go
	strip --strip-debug -o $(GO_LIB) $(1)/libnomyo.a
	cp include/nomyo.h bindings/go/
endef

# 100 000 requests by 64 threads, one in ten with a fault: locked and resident memory, mappings, descriptors and threads return.
soak: test-tools
	cargo build --release --workspace
	NOMYO_TEST_ENDPOINT=$(TARGET)/release/endpoint NOMYO_TEST_STATE=$(TARGET)/endpoint-state \
	    $(MAKE) -C tests/c LIB_DIR=$(TARGET)/release OUT=$(TARGET)/c-soak soak

bench: test-tools $(VENV)/ready
	cargo build --release --workspace
	cargo bench --bench decrypt --bench allocator --bench attestation --no-run
	RUSTFLAGS="--cfg nomyo_system_allocator" cargo build --release --lib --target-dir $(TARGET)/bench-system
	NOMYO_TEST_ENDPOINT=$(TARGET)/release/endpoint NOMYO_TEST_STATE=$(TARGET)/endpoint-state tests/with_endpoint.sh \
	    $(VENV)/bin/python benches/run.py
