# The other platforms. Each has a script, tests/cross/TRIPLE.sh, which builds and runs all that can be run here.
#
#   make cross                                     every target, and the table
#   make cross CROSS=aarch64-unknown-linux-gnu     one of them
#   make cross CELLS="builds,chat"                 some columns of the table
#   make cross-small                               what .ci/run runs: musl with AWS-LC builds, and chats
#   make go-lib-musl                               the static library for Go's `-tags musl`, on a machine with glibc
#
# Neither is part of `make test`. The endpoint runs natively, and the clients natively, under qemu or under wine. The scripts of the targets
# install the compilers and emulators that they need.
CROSS :=
CELLS :=
CROSS_PROVIDERS :=

.PHONY: cross cross-small go-lib-musl
cross: test-tools library $(VENV)/ready
	@tests/require.sh py:venv=python3-venv $(GO_NEEDS)
	CELLS="$(CELLS)" CROSS_PROVIDERS="$(CROSS_PROVIDERS)" $(ENDPOINT) tests/cross/run.sh $(CROSS) 2>&1 | tee $(LOGS)/cross.log

SMALL := x86_64-unknown-linux-musl

# A machine may have Rust without rustup, or no way to its server. It then says so.
cross-small:
	if rustup target add $(SMALL); then \
	    $(MAKE) cross CROSS=$(SMALL) CELLS=builds,chat CROSS_PROVIDERS=aws-lc; \
	else \
	    echo "cross-small: not run: rustup could not add the target $(SMALL)"; \
	fi

# The archive contains the unwinder of the Rust toolchain: musl-gcc has none that fits.
MUSL = $(shell uname -m)-unknown-linux-musl
MUSL_UNWINDER = $(shell rustc --print sysroot)/lib/rustlib/$(MUSL)/lib/self-contained/libunwind.a
# build.rs takes no linker for musl that nobody has chosen. A static library needs none.
MUSL_LINKER = CARGO_TARGET_$(shell echo $(MUSL) | tr a-z- A-Z_)_LINKER
go-lib-musl: tools
	@tests/require.sh musl-gcc=musl-tools
	rustup target add $(MUSL)
	$(MUSL_LINKER)="$(CURDIR)/bindings/c/install/musl_cc.sh" RUSTFLAGS="$${RUSTFLAGS:-} -C target-feature=-crt-static" \
	    cargo rustc --release --lib --crate-type staticlib --target $(MUSL)
	UNWINDER=$(MUSL_UNWINDER) bindings/c/install/one_object.sh $(TARGET)/$(MUSL)/release/libnomyo.a \
	    bindings/go/lib/$(shell go env GOOS)_$(shell go env GOARCH)_musl/libnomyo.a
	cp include/nomyo.h bindings/go/
