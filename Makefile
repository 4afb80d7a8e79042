# What everybody runs:
#
#   make demo    build, start the local endpoint, send one encrypted chat through it from C, print the reply
#   make test    every test, in every language (about an hour on 2 cores the first time)
#
# and what changes the library call for:
#
#   make test-commands      `make demo` behind a proxy, without a network, in a path with spaces, as an ordinary user, and so on
#   make unit    the unit tests of the Rust library, the quickest answer to a change
#   make lint    formatting, clippy for both crypto providers, documentation without warnings, header drift
#   make header  writes include/nomyo.h anew
#   make install PREFIX=/usr/local LIBDIR=lib DESTDIR=   the release library, headers, nomyo.pc and nomyoConfig.cmake
#   make test-cinstall      compares `cargo cinstall` (cargo-c) with `make install`
#   make go-lib  builds the static library, and puts it and the header into bindings/go
#   make bench   the figures of benches/RESULTS.md, measured again (about a quarter of an hour)
#   make cross   the other platforms: builds them, runs what can be run here, prints a table (tests/cross.mk)
#   make go-lib-musl        as go-lib, for programs of musl (`-tags musl`)
#   make dist    the packages that are published, into dist/ (packages/dist.mk: also `make test-dist`, `make reproducible` and `make deny`)
#   make test-instructions PROFILE=release RENEW=--renew   the counts of tests/instructions/counts.txt, counted again
#   make test-miri          the vault's unit tests under Miri, which looks for undefined behaviour; it needs a nightly toolchain
#   make soak    100 000 requests by 64 threads, one in ten with a fault, and nothing stays
#
# Both commands at the top install what is missing, or say what to install.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := demo

# Everything is built into `target` of this checkout, because the documentation and the tests name files there. Another target
# directory of the user's is not used: CARGO_TARGET_DIR comes before CARGO_BUILD_TARGET_DIR and before cargo's configuration.
# Make cannot have a space in the name of a target, so that TARGET is relative. ABS is for programs that run in other directories.
# Recipes quote ABS.
TARGET := target
ABS := $(if $(filter /%,$(TARGET)),$(TARGET),$(CURDIR)/$(TARGET))
export CARGO_TARGET_DIR := $(ABS)
# Artifacts for another platform would lie in a directory of their own, and do not run here.
unexport CARGO_BUILD_TARGET
# cargo takes no RUSTFLAGS beside CARGO_ENCODED_RUSTFLAGS. Recipes with flags of their own append these to the user's RUSTFLAGS.
ifneq ($(CARGO_ENCODED_RUSTFLAGS),)
export RUSTFLAGS := $(subst $(shell printf '\037'), ,$(CARGO_ENCODED_RUSTFLAGS))
unexport CARGO_ENCODED_RUSTFLAGS
endif
# Variables that the library, its bindings and the examples read, such as NOMYO_KEY_DIR or NOMYO_SERVER_KEY_PIN, are meant for
# the user's programs. Tests set the ones that they need. tests/with_endpoint.sh unsets the proxy variables.
unexport $(filter NOMYO_%,$(.VARIABLES))
# An ordinary user's PATH leaves out the directories of nginx and mkfs.
export PATH := $(PATH):/usr/sbin:/sbin

DEBUG := $(TARGET)/debug
PURE := $(TARGET)/rustcrypto/debug
LOGS := $(TARGET)/test-logs
VENV := $(TARGET)/venv
HOST_TRIPLE = $(shell rustc -vV | sed -n 's/^host: //p')
ASAN = $(TARGET)/asan/$(HOST_TRIPLE)/debug
# Clients of the tests take pairs that were generated beforehand. Suites about the generation set NOMYO_TEST_PAIRS to nothing.
ENDPOINT := NOMYO_TEST_ENDPOINT="$(ABS)/debug/endpoint" NOMYO_TEST_STATE="$(ABS)/endpoint-state" \
    NOMYO_TEST_PAIRS="$(CURDIR)/tests/fixtures/pairs"
WITH_ENDPOINT := $(ENDPOINT) tests/with_endpoint.sh
CC_EXAMPLE := -Wall -Wextra -Wpedantic -Werror -Iinclude -L$(DEBUG) -Wl,-rpath,"$(ABS)/debug"
GO_LIB = bindings/go/lib/$(shell go env GOOS)_$(shell go env GOARCH)/libnomyo.a

.PHONY: demo test unit test-miri lint header install go-lib go-debug-lib go-platform node-debug-addon bench tally tools everything tss json loops library addon \
    soak faults-cancel memory-aws-lc memory-pure test-tools test-rust test-c test-c-valgrind test-instructions test-faults test-limits test-memory test-attestation test-cpp test-cinstall \
    test-go test-python test-node test-node-asan test-java test-sdk test-keys test-scenarios test-examples test-commands

# --- set-up

# The needs of each target.
include tests/needs.mk
# The other platforms.
include tests/cross.mk
include packages/dist.mk

tools:
	@tests/require.sh $(BUILD_NEEDS)

everything:
	@tests/require.sh $(BUILD_NEEDS) $(TEST_NEEDS) $(TSS_NEEDS) $(JSON_NEEDS) $(LOOPS_NEEDS) $(FAULTS_NEEDS) $(LIMITS_NEEDS) \
	    $(ATTESTATION_NEEDS) $(CPP_NEEDS) $(GO_NEEDS) $(JAVA_NEEDS) $$(bindings/java/tests/jdk.sh --needs) $(KEYS_NEEDS)

test-tools:
	@tests/require.sh $(BUILD_NEEDS) $(TEST_NEEDS) $(TSS_NEEDS)
	@mkdir -p $(LOGS)

tss:
	@tests/require.sh $(TSS_NEEDS)

json:
	@tests/require.sh $(JSON_NEEDS)

loops:
	@tests/require.sh $(LOOPS_NEEDS)

$(VENV)/ready: bindings/python/requirements-test.txt
	python3 -m venv --clear $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r bindings/python/requirements-test.txt
	touch $@

# The compiler of TypeScript, bundlers, Express and openai's types, for the tests alone: the package depends on nothing.
NODE_TESTS := bindings/node/tests

$(NODE_TESTS)/node_modules/ready: $(NODE_TESTS)/package-lock.json
	npm ci --silent --no-audit --no-fund --prefix $(NODE_TESTS)
	touch $@

# The library, under the name that programs ask the loader for, and the endpoint. The addon for Node takes packages of its own.
# All that it shares with these two is built with the same features, so that nothing is built twice.
library: tools
	cargo build -p nomyo -p endpoint
	@ln -sf libnomyo.so $(DEBUG)/libnomyo.so.0

addon: library
	cargo build --workspace

# The addon where Node's package looks for it: not committed, since it is built. A new file, since the old one may be in use.
NODE_ADDON = $(shell node -p "path.relative('', require('./bindings/node/lib/addon_path.js').addonPath())")

node-debug-addon: addon
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
# each of these printed comes when it has ended. All suites run even when one fails. The end names the tests that failed; make
# itself names a suite that could not run.
ALONE := c memory faults limits
SUITES := rust c-valgrind instructions attestation cpp go python node node-asan java sdk keys scenarios examples

test: everything test-tools library
	@rm -f $(LOGS)/*
	failed=0; $(MAKE) --keep-going $(ALONE:%=test-%) || failed=1; \
	    $(MAKE) --keep-going -j2 --output-sync=recurse $(SUITES:%=test-%) || failed=1; \
	    $(MAKE) tally || failed=1; exit $$failed

tally:
	@tests/tally.sh $(LOGS)/*.log

# Packages of the workspace share what they build as long as the same ones are named, all of them where possible.
PURE_FEATURES := --no-default-features --features capi,rustcrypto,attestation
test-rust: test-tools
	cargo test --workspace --lib --bins 2>&1 | tee $(LOGS)/rust.log
	$(ENDPOINT) cargo test --workspace --test '*' 2>&1 | tee $(LOGS)/rust-integration.log
	cargo test --workspace --doc 2>&1 | tee $(LOGS)/rust-doc.log
	cargo test -p nomyo -p nomyo-node --features nomyo/rustcrypto --lib 2>&1 | tee $(LOGS)/rust-both.log
	cargo test $(PURE_FEATURES) --lib 2>&1 | tee $(LOGS)/rust-pure.log
	$(ENDPOINT) cargo test $(PURE_FEATURES) --test '*' 2>&1 | tee $(LOGS)/rust-pure-integration.log

unit: tools
	cargo test -p nomyo --lib

# Under Miri the vault's pages come from Miri itself (src/memory/os/miri.rs), and the global allocator is the system's. Tests that
# move megabytes would take hours. Leaks are no finding: the interpreter takes back no part of a mapping, so that miri.rs keeps all.
test-miri:
	rustup component add --toolchain nightly miri rust-src
	RUSTFLAGS="$${RUSTFLAGS:-} --cfg nomyo_system_allocator" MIRIFLAGS="-Zmiri-permissive-provenance -Zmiri-ignore-leaks" cargo +nightly miri test --lib \
	    --no-default-features --features capi,rustcrypto --target-dir $(TARGET)/miri -- memory::

# Tests that move megabytes, or make many clients, take minutes under valgrind. AddressSanitizer runs those.
UNDER_VALGRIND := library arguments request_json sealed attestation chat threads fork locks

C_TESTS := $(ENDPOINT) $(MAKE) -C tests/c
C_DEBUG := LIB_DIR=../../$(DEBUG) OUT=../../$(TARGET)/c-tests
C_ASAN = LIB_DIR=../../$(ASAN) OUT=../../$(TARGET)/c-tests

test-c: test-tools library addon $(ASAN)/libnomyo.so
	$(C_TESTS) $(C_DEBUG) check-header check-symbols 2>&1 | tee $(LOGS)/c-header.log
	$(C_TESTS) $(C_DEBUG) SOAK_REQUESTS=5000 run 2>&1 | tee $(LOGS)/c.log
	$(C_TESTS) $(C_DEBUG)-static LINK=static PROGRAMS="exit fork" run 2>&1 | tee $(LOGS)/c-static.log
	$(C_TESTS) $(C_ASAN) run-asan 2>&1 | tee $(LOGS)/c-asan.log

test-c-valgrind: test-tools library
	$(C_TESTS) $(C_DEBUG) PROGRAMS="$(UNDER_VALGRIND)" run-valgrind 2>&1 | tee $(LOGS)/c-valgrind.log

# How many instructions seal, open and a getter need under callgrind, beside tests/instructions/counts.txt. The debug library is
# built already, and its counts differ by less than 20 instructions between two runs. PROFILE=release builds and counts the
# release library, whose counts are the ones to improve. RENEW=--renew writes the file.
PROFILE := debug
RENEW :=

test-instructions: test-tools library
	$(if $(filter release,$(PROFILE)),cargo build --release --lib)
	@ln -sf libnomyo.so $(TARGET)/$(PROFILE)/libnomyo.so.0
	$(CC) -std=c11 -O1 $(subst /debug,/$(PROFILE),$(CC_EXAMPLE)) -D_GNU_SOURCE $(SCENARIO_FILES) -Itests/c \
	    tests/instructions/operations.c -o $(TARGET)/operations_$(PROFILE) -lnomyo
	python3 tests/instructions/compare.py $(TARGET)/operations_$(PROFILE) $(PROFILE) $(TARGET)/callgrind/$(PROFILE) $(RENEW) 2>&1 | \
	    tee $(LOGS)/instructions.log

# The library itself and the addon under AddressSanitizer. RUSTC_BOOTSTRAP lets the stable compiler take -Z sanitizer. With the
# system's allocator it sees what the library frees; in the vault it would not.
$(ASAN)/libnomyo.so: $(shell find src bindings/node/src bindings/node/build.rs bindings/node/Cargo.toml Cargo.toml Cargo.lock build.rs cbindgen.toml -type f)
	RUSTC_BOOTSTRAP=1 RUSTFLAGS="$${RUSTFLAGS:-} -Zsanitizer=address --cfg nomyo_system_allocator --cfg nomyo_sanitized" cargo build -p nomyo -p nomyo-node --target $(HOST_TRIPLE) --target-dir $(TARGET)/asan
	touch $@

# Faults of every kind, other people's servers, a bad network, cancelling: two at a time, since they mostly wait. Each runs
# in network and mount namespaces of its own, where these are allowed. `early` needs Go and, in an environment of its own,
# hypercorn.
FAULTS := blackhole early table matrix peers mutual_tls connections addresses settings link
FAULTS_VENV := $(TARGET)/faults-venv
IN_NAMESPACE := $(ENDPOINT) tests/faults/namespace.sh

$(FAULTS_VENV)/ready: tests/faults/requirements.txt
	python3 -m venv --clear $(FAULTS_VENV)
	$(FAULTS_VENV)/bin/pip install --quiet --disable-pip-version-check -r tests/faults/requirements.txt
	touch $@

test-faults: test-tools library $(ASAN)/libnomyo.so $(FAULTS_VENV)/ready
	@tests/require.sh $(FAULTS_NEEDS)
	@mkdir -p $(LOGS)
	$(MAKE) --keep-going --output-sync=target -j2 $(FAULTS:%=faults-%) faults-cancel

$(FAULTS:%=faults-%): faults-%:
	$(IN_NAMESPACE) python3 tests/faults/run.py --library "$(ABS)/debug/libnomyo.so" --endpoint "$(ABS)/debug/endpoint" \
	    --state "$(ABS)/endpoint-state" --python "$(ABS)/faults-venv/bin/python" $* 2>&1 | tee $(LOGS)/$@.log

faults-cancel:
	$(IN_NAMESPACE) $(MAKE) -C tests/c $(C_DEBUG) PROGRAMS=cancel run 2>&1 | tee $(LOGS)/$@.log
	$(IN_NAMESPACE) $(MAKE) -C tests/c $(C_ASAN) PROGRAMS=cancel run-asan 2>&1 | tee $(LOGS)/$@-asan.log

# Deadlines and cancel handles bound every call that can block, whatever blocks it. The suite prints how late calls returned.
test-limits: test-tools library
	@tests/require.sh $(LIMITS_NEEDS)
	$(IN_NAMESPACE) env NOMYO_TEST_PAIRS= PYTHONPATH="$(CURDIR)/tests/faults" python3 tests/limits/run.py --library "$(ABS)/debug/libnomyo.so" \
	    --endpoint "$(ABS)/debug/endpoint" --state "$(ABS)/endpoint-state" 2>&1 | tee $(LOGS)/limits.log

# A second process looks for secrets, at every moment at which the library waits or returns; with both providers.
SCANNED_KEY := nomyo-memory-test-Qk2v8sXf
SCAN = $(ENDPOINT) NOMYO_TEST_PAIRS= tests/with_endpoint.sh --api-key $(SCANNED_KEY) --reveal-keys -- python3 tests/memory/run.py --api-key $(SCANNED_KEY)

test-memory: test-tools library go-debug-lib $(PURE)/libnomyo.so $(VENV)/ready
	$(MAKE) --keep-going --output-sync=target -j2 memory-aws-lc memory-pure

# Each looks at processes of its own, so that two do not disturb each other.
memory-aws-lc:
	$(SCAN) --library-dir "$(ABS)/debug" --go --sdk-python "$(ABS)/venv/bin/python" 2>&1 | tee $(LOGS)/memory.log

memory-pure:
	$(SCAN) --library-dir "$(ABS)/rustcrypto/debug" 2>&1 | tee $(LOGS)/memory-pure.log

# Genuine quotes and every lie about one, from two endpoints that attest with software TPMs; with both providers.
ATTEST := $(ENDPOINT) tests/attestation/run.sh

test-attestation: test-tools library $(PURE)/libnomyo.so
	$(CC) -std=c11 -D_GNU_SOURCE -Itests/c $(CC_EXAMPLE) tests/attestation/live.c -o $(TARGET)/live-quotes -lnomyo
	$(ATTEST) $(TARGET)/live-quotes 2>&1 | tee $(LOGS)/attestation.log
	$(ATTEST) env LD_LIBRARY_PATH="$(ABS)/rustcrypto/debug" $(TARGET)/live-quotes 2>&1 | tee $(LOGS)/attestation-pure.log
	@tests/require.sh $(ATTESTATION_NEEDS)
	tests/checkquote.sh 2>&1 | tee $(LOGS)/checkquote.log

CXX_TEST := -std=c++17 -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Werror -Ibindings/c -Iinclude -L$(DEBUG) -Wl,-rpath,"$(ABS)/debug"
CXX_ASAN = $(subst $(DEBUG),$(ASAN),$(CXX_TEST)) -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined

# A program of bindings/c/tests: $(call build-cpp,SOURCE,OUTPUT,FLAGS)
define build-cpp
	$(CXX) $(CXX_TEST) $(3) bindings/c/tests/$(1) -o $(TARGET)/cpp-tests/$(2) -lnomyo -lpthread
endef

# Tests install the library here, and build programs from what is installed. A shell splits the words of pkg-config at each
# space, so that this path has none.
SCRATCH = $(eval SCRATCH := $(if $(word 2,$(ABS)),$(shell mktemp -d),$(ABS)))$(SCRATCH)

# nomyo.hpp: compiled in each standard, with and without exceptions, with every warning; each of its promises; its objects dropped
# in every order; and programs that are built from the installed files: by pkg-config, statically, by CMake, as the page of
# documentation says, and beside another Rust archive.
test-cpp: test-tools json loops library $(ASAN)/libnomyo.so
	@tests/require.sh $(CPP_NEEDS)
	@mkdir -p $(TARGET)/cpp-tests
	bindings/c/tests/functions.sh 2>&1 | tee $(LOGS)/cpp-functions.log
	bindings/c/tests/header.sh $(TARGET)/cpp-header 2>&1 | tee $(LOGS)/cpp-header.log
	$(call build-cpp,test_nomyo.cpp,test_nomyo)
	$(call build-cpp,choices.cpp,choices17)
	$(call build-cpp,choices.cpp,choices20,-std=c++20)
	$(call build-cpp,sealed.cpp,sealed)
	$(call build-cpp,secrets.cpp,secrets)
	$(call build-cpp,with_exceptions.cpp,with_exceptions.o,-c)
	$(call build-cpp,no_exceptions.cpp,no_exceptions,-fno-exceptions -fno-rtti $(TARGET)/cpp-tests/with_exceptions.o)
	$(WITH_ENDPOINT) sh -ec 'for program in test_nomyo choices17 choices20 "sealed tests/fixtures" secrets no_exceptions; do \
	    $(TARGET)/cpp-tests/$$program; done' 2>&1 | tee $(LOGS)/cpp.log
	$(call build-cpp,threads.cpp,threads,-O1 -g -fsanitize=thread)
	$(WITH_ENDPOINT) bindings/c/tests/tsan.sh $(TARGET)/cpp-tests/threads 2>&1 | tee $(LOGS)/cpp-tsan.log
	@ln -sf libnomyo.so $(ASAN)/libnomyo.so.0
	$(CXX) $(CXX_ASAN) bindings/c/tests/log.cpp -o $(TARGET)/cpp-tests/log -lnomyo -lpthread
	$(WITH_ENDPOINT) $(TARGET)/cpp-tests/log 2>&1 | tee $(LOGS)/cpp-log.log
	$(CXX) $(CXX_ASAN) bindings/c/tests/torture.cpp -o $(TARGET)/torture_nomyo -lnomyo -lpthread
	$(TARGET)/torture_nomyo tests/fixtures/protocol 2>&1 | tee $(LOGS)/torture-cpp.log
	rm -rf $(SCRATCH)/installed
	bindings/c/install/install.sh $(DEBUG) $(SCRATCH)/installed
	$(WITH_ENDPOINT) bindings/c/tests/installed.sh $(SCRATCH)/installed $(SCRATCH)/consumers 2>&1 | tee $(LOGS)/install.log
	$(WITH_ENDPOINT) bindings/c/tests/libdir.sh $(SCRATCH)/installed $(SCRATCH)/libdir 2>&1 | tee $(LOGS)/libdir.log
	$(ENDPOINT) NOMYO_TEST_PAIRS= tests/with_endpoint.sh bindings/c/tests/page.sh $(SCRATCH)/installed $(SCRATCH)/page 2>&1 | tee $(LOGS)/page-cpp.log
	$(ENDPOINT) NOMYO_TEST_PAIRS= tests/with_endpoint.sh --api-key page-key -- bindings/c/tests/loops_page.sh $(SCRATCH)/installed $(SCRATCH)/loops-page page-key 2>&1 | tee $(LOGS)/page-loops.log
	$(MAKE) -C tests/c $(C_DEBUG) check-archive 2>&1 | tee $(LOGS)/archive.log

# `cargo cinstall` must install the same files as `make install`, once one_object.sh has made the archive. `make test` does not
# include this target, because cargo-c takes long to build.
CINSTALL = $(SCRATCH)/cinstall
test-cinstall: test-tools library
	@cargo cinstall --version >/dev/null 2>&1 || { echo "please install cargo-c: cargo install cargo-c --locked" \
	    "(it needs libssl-dev and libcurl4-openssl-dev)" >&2; exit 1; }
	rm -rf $(CINSTALL)
	$(MAKE) install PREFIX=$(CINSTALL)/prefix DESTDIR=$(CINSTALL)/make
	cargo cinstall --release --target-dir="$(ABS)/cargo-c" --prefix=$(CINSTALL)/prefix --libdir=lib \
	    --destdir=$(CINSTALL)/cargo
	bindings/c/install/one_object.sh $(CINSTALL)/cargo$(CINSTALL)/prefix/lib/libnomyo.a{,}
	bindings/c/tests/cinstall.sh $(CINSTALL)/{make,cargo}$(CINSTALL)/prefix 2>&1 | tee $(LOGS)/cinstall.log
	mv $(CINSTALL)/cargo$(CINSTALL)/prefix $(CINSTALL)/prefix
	$(WITH_ENDPOINT) bindings/c/tests/installed.sh $(CINSTALL)/prefix $(CINSTALL)/scratch 2>&1 | tee $(LOGS)/cinstalled.log

# With the debug library, which is built already. -short is for TestTorture: 20 000 rounds, and 100 000 without it.
GO_TEST_KEY := go-test-key
# These interrupt the generation of a pair.
GO_GENERATING := ^TestADeadlineEndsTheKeyGenerationOfAFirstCall$$
GO_TEST = NOMYO_TEST_API_KEY=$(GO_TEST_KEY) $(WITH_ENDPOINT) --api-key $(GO_TEST_KEY) --

go-debug-lib: go-platform library
	$(call into-go,$(DEBUG))

test-go: test-tools go-debug-lib
	@tests/require.sh $(GO_NEEDS)
	test -z "$$(gofmt -l bindings/go examples/go tests/memory/go tests/faults/early_go)"
	go -C bindings/go vet ./...
	GODEBUG=cgocheck=1 GOGC=1 $(GO_TEST) go -C bindings/go test -race -short -count=1 -v -skip '^TestScenarios$$|$(GO_GENERATING)' . 2>&1 | tee $(LOGS)/go.log
	NOMYO_TEST_API_KEY=$(GO_TEST_KEY) $(ENDPOINT) NOMYO_TEST_PAIRS= tests/with_endpoint.sh --api-key $(GO_TEST_KEY) -- \
	    go -C bindings/go test -count=1 -v -run '$(GO_GENERATING)' . 2>&1 | tee $(LOGS)/go-generating.log
	$(GO_TEST) tests/go_install.sh "$(ABS)/debug" "$(ABS)/go-install" 2>&1 | tee $(LOGS)/go-install.log
	NOMYO_TEST_API_KEY=$(GO_TEST_KEY) $(IN_NAMESPACE) tests/with_endpoint.sh --api-key $(GO_TEST_KEY) -- \
	    tests/go_static.sh "$(ABS)/go-static" 2>&1 | tee $(LOGS)/go-static.log

# The table that every language runs, and sees the same in.
SCENARIOS = $(WITH_ENDPOINT) --api-key scenario-key -- env NOMYO_TEST_API_KEY=scenario-key
SCENARIO_LANGUAGES := rust c cpp go python node
SCENARIO_FILES := -DNOMYO_FIXTURES='"$(CURDIR)/tests/fixtures/protocol"'

test-scenarios: test-tools json library go-debug-lib node-debug-addon $(VENV)/ready
	cargo test --workspace --test scenarios -- --nocapture 2>&1 | tee $(LOGS)/scenarios_rust.log
	$(CC) -std=c11 $(CC_EXAMPLE) -D_GNU_SOURCE $(SCENARIO_FILES) -Itests/c tests/c/scenarios.c -o $(TARGET)/scenarios_c -lnomyo -lcjson -lpthread
	$(SCENARIOS) $(TARGET)/scenarios_c tests/scenarios/*.json 2>&1 | tee $(LOGS)/scenarios_c.log
	$(CXX) $(CXX_TEST) $(SCENARIO_FILES) bindings/c/tests/scenarios.cpp -o $(TARGET)/scenarios_cpp -lnomyo
	$(SCENARIOS) $(TARGET)/scenarios_cpp tests/scenarios/*.json 2>&1 | tee $(LOGS)/scenarios_cpp.log
	$(GO_TEST) go -C bindings/go test -count=1 -v -run '^TestScenarios$$' . 2>&1 | tee $(LOGS)/scenarios_go.log
	NOMYO_LIBRARY="$(ABS)/debug/libnomyo.so" PYTHONPATH="$(CURDIR)/bindings/python" \
	    $(SCENARIOS) $(VENV)/bin/python bindings/python/tests/scenarios.py 2>&1 | tee $(LOGS)/scenarios_python.log
	$(SCENARIOS) node $(NODE_TESTS)/scenarios.js 2>&1 | tee $(LOGS)/scenarios_node.log
	@python3 tests/scenarios/table.py $(foreach l,$(SCENARIO_LANGUAGES),$(l)=$(LOGS)/scenarios_$(l).log)

# -X dev and asyncio's debug mode are on. The wheel that is installed holds the dev profile's library: it is built in
# seconds from what is there, and packed as a release would be. Tests that count locked bytes have a process of their own,
# because other tests keep locked buffers. So have tests that interrupt the generation of a pair.
PYTHON_GENERATING := bindings/python/tests/test_generating.py

test-python: test-tools library $(VENV)/ready
	cd bindings/python && "$(ABS)/venv/bin/mypy"
	NOMYO_LIBRARY="$(ABS)/debug/libnomyo.so" PYTHONPATH="$(CURDIR)/bindings/python" \
	    $(WITH_ENDPOINT) $(VENV)/bin/python -X dev -m pytest -q -ra --ignore-glob='*/test_protect_*' \
	    --ignore=$(PYTHON_GENERATING) bindings/python/tests 2>&1 | tee $(LOGS)/python.log
	NOMYO_LIBRARY="$(ABS)/debug/libnomyo.so" PYTHONPATH="$(CURDIR)/bindings/python" \
	    $(WITH_ENDPOINT) $(VENV)/bin/python -X dev -m pytest -q -ra bindings/python/tests/test_protect_*.py 2>&1 | tee $(LOGS)/python-protect.log
	NOMYO_LIBRARY="$(ABS)/debug/libnomyo.so" PYTHONPATH="$(CURDIR)/bindings/python" $(ENDPOINT) NOMYO_TEST_PAIRS= \
	    tests/with_endpoint.sh $(VENV)/bin/python -X dev -m pytest -q -ra $(PYTHON_GENERATING) 2>&1 | tee $(LOGS)/python-generating.log

# Types, then everything else against one endpoint. The addon that is installed is the dev profile's, as with Python.
NODE_ALL := $(wildcard $(NODE_TESTS)/*.test.js $(NODE_TESTS)/memory/*.test.js)
# These interrupt the generation of a pair.
NODE_GENERATING := $(NODE_TESTS)/limits.test.js

test-node: test-tools node-debug-addon $(NODE_TESTS)/node_modules/ready
	$(NODE_TESTS)/node_modules/.bin/tsc -p $(NODE_TESTS)
	$(WITH_ENDPOINT) node --test --test-reporter=spec $(filter-out $(NODE_GENERATING),$(NODE_ALL)) 2>&1 | tee $(LOGS)/node.log
	$(ENDPOINT) NOMYO_TEST_PAIRS= tests/with_endpoint.sh node --test --test-reporter=spec $(NODE_GENERATING) 2>&1 | tee $(LOGS)/node-generating.log

# The addon under AddressSanitizer, in a copy of the package. Node takes the runtime from the C compiler, as the C tests do.
NODE_ASAN := $(TARGET)/node-asan
NODE_ASAN_TESTS := memory/sanitizer memory/buffers memory/vault memory/threads abort processes views

test-node-asan: test-tools node-debug-addon $(ASAN)/libnomyo.so $(NODE_TESTS)/node_modules/ready
	@rm -rf $(NODE_ASAN) && mkdir -p $(NODE_ASAN)
	tar -C bindings/node --exclude=./prebuilds --exclude=node_modules -cf - . | tar -C $(NODE_ASAN) -xf -
	addon=$$(node -p "require('./$(NODE_ASAN)/lib/addon_path.js').addonPath()") && mkdir -p "$$(dirname "$$addon")" && \
	    ln $(ASAN)/libnomyo_node.so "$$addon"
	$(WITH_ENDPOINT) env ASAN_OPTIONS=detect_leaks=0 LD_PRELOAD=$$($(CC) -print-file-name=libasan.so) \
	    node --test $(NODE_ASAN_TESTS:%=$(NODE_ASAN)/tests/%.test.js) 2>&1 | tee $(LOGS)/node-asan.log

# With the JDK that is installed, if it is new enough. The package compiles as Java 22 without a warning. -restricted: tests call
# the system's functions themselves.
JAVA := $(TARGET)/java
JAVA_PATH := PATH="$(ABS)/java/bin:$$PATH"

test-java: test-tools library
	@tests/require.sh $(JAVA_NEEDS)
	bindings/java/tests/jdk.sh $(JAVA)
	rm -rf $(JAVA)/classes
	$(JAVA_PATH) javac --release 22 -Xlint:all -Werror -d $(JAVA)/classes bindings/java/ai/nomyo/memory/*.java
	$(JAVA_PATH) javac --release 22 -Xlint:all,-restricted -Werror -cp $(JAVA)/classes -d $(JAVA)/classes bindings/java/tests/*.java
	$(JAVA_PATH) NOMYO_LIBRARY="$(ABS)/debug/libnomyo.so" java -Xcheck:jni --enable-native-access=ALL-UNNAMED \
	    -cp $(JAVA)/classes Run 2>&1 | tee $(LOGS)/java.log
	$(JAVA_PATH) bindings/java/tests/page.sh $(DEBUG)/libnomyo.so $(JAVA)/page 2>&1 | tee $(LOGS)/page-java.log

test-sdk: test-tools library $(VENV)/ready
	$(WITH_ENDPOINT) $(VENV)/bin/python -m pytest -q -ra tests/python_sdk 2>&1 | tee $(LOGS)/sdk.log

# Key files, rotation and pins, from outside; what depends on the crypto provider with both.
test-keys: test-tools library $(PURE)/libnomyo.so $(VENV)/ready
	@tests/require.sh $(KEYS_NEEDS)
	NOMYO_LIBRARY="$(ABS)/debug/libnomyo.so" NOMYO_TEST_ENDPOINT="$(ABS)/debug/endpoint" \
	    $(VENV)/bin/python -m pytest -q -ra tests/keys 2>&1 | tee $(LOGS)/keys.log
	NOMYO_LIBRARY="$(ABS)/rustcrypto/debug/libnomyo.so" \
	    $(VENV)/bin/python -m pytest -q -ra tests/keys/test_forms.py tests/keys/test_interop.py 2>&1 | tee $(LOGS)/keys-pure.log

# Every example does what it says through the endpoint, and so does the program in the README.
test-examples: test-tools json loops library go-debug-lib node-debug-addon $(VENV)/ready
	tests/examples.sh "$(ABS)/debug" "$(ABS)/examples" "$(ABS)/venv/bin/python" 2>&1 | tee $(LOGS)/examples.log
	tests/commands.sh proxies nomyo target network needs 2>&1 | tee $(LOGS)/commands.log

# `make demo` in the environments that users have. test-examples runs the parts that build nothing a second time.
test-commands: library
	@mkdir -p $(LOGS)
	tests/commands.sh 2>&1 | tee $(LOGS)/commands-all.log

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
	NOMYO_WRITE_HEADER=1 cargo test --workspace --test header

# The library with its links, the headers, and the files that pkg-config and CMake look for. LIBDIR is below PREFIX.
PREFIX ?= /usr/local
LIBDIR ?= lib
DESTDIR ?=
install: tools
	cargo build --release --lib
	bindings/c/install/install.sh "$(TARGET)/release" "$(PREFIX)" "$(DESTDIR)" "$(LIBDIR)"

# What the Go package links, and compiles against: not committed, since it is built.
go-lib: go-platform tools
	cargo build --release --lib
	$(call into-go,$(TARGET)/release)

# cargo builds for this machine. Under GOARCH=arm64 the archive of an amd64 machine would land in lib/linux_arm64.
go-platform:
	@test "$$(go env GOOS GOARCH)" = "$$(go env GOHOSTOS GOHOSTARCH)" || { echo "the library for $$(go env GOOS)/$$(go env GOARCH)" \
	    "cannot be built on this machine: run this on such a machine, or unset GOOS and GOARCH" >&2; exit 1; }

define into-go
	bindings/c/install/one_object.sh $(1)/libnomyo.a $(GO_LIB)
	cp include/nomyo.h bindings/go/
endef

# 100 000 requests by 64 threads, one in ten with a fault: locked and resident memory, mappings, descriptors and threads return.
soak: test-tools
	cargo build --release --workspace
	NOMYO_TEST_ENDPOINT="$(ABS)/release/endpoint" NOMYO_TEST_STATE="$(ABS)/endpoint-state" \
	    $(MAKE) -C tests/c LIB_DIR=../../$(TARGET)/release OUT=../../$(TARGET)/c-soak soak

# The peers of the figures. One that has no package for this machine is missing in the environment, and the report says so.
BENCH_VENV := $(TARGET)/bench-venv

$(BENCH_VENV)/ready: benches/requirements.txt
	python3 -m venv --clear $(BENCH_VENV)
	grep -v '^#' benches/requirements.txt | while read -r package; do \
	    $(BENCH_VENV)/bin/pip install --quiet --disable-pip-version-check --no-deps "$$package" || echo "not installed: $$package"; done
	touch $@

# The release addon takes the place of the dev profile's; `make test-node` puts that one back.
bench: test-tools $(VENV)/ready $(BENCH_VENV)/ready
	cargo build --release --workspace
	@mkdir -p $(dir $(NODE_ADDON))
	strip --strip-debug -o $(NODE_ADDON).new $(TARGET)/release/libnomyo_node.so
	mv $(NODE_ADDON).new $(NODE_ADDON)
	cargo bench --bench decrypt --bench allocator --bench attestation --no-run
	RUSTFLAGS="--cfg nomyo_system_allocator" cargo build --release --lib --target-dir $(TARGET)/bench-system
	NOMYO_TEST_ENDPOINT=$(TARGET)/release/endpoint NOMYO_TEST_STATE=$(TARGET)/endpoint-state tests/with_endpoint.sh \
	    $(VENV)/bin/python benches/run.py
