# The artefacts that are published, and their tests.
#
#   make dist                        all artefacts of all targets, into dist/
#   make dist TARGETS="TRIPLE ..."   of some targets
#   make test-dist                   installs each artefact in an empty root as its users do, and sends a chat
#   make deny                        licences, sources and duplicates of all crates (deny.toml)
#   make reproducible                builds again in another directory and at another time, and compares
#
# packages/targets has the targets. Not part of `make test`: a build takes minutes for each target, and the roots come from Debian's mirror.
TARGETS := $(basename $(notdir $(wildcard packages/targets/*-*-*.sh)))
SUITES := bookworm bullseye trixie musl bookworm-arm64
DIST_TOOLS := $(TARGET)/dist-tools
DIST_NEEDS := dpkg-deb=dpkg readelf=binutils node=nodejs npm=npm go@1.22=golang-go py:venv=python3-venv lintian=lintian

# The version of cargo-deny. It is compiled once. The advisories are in a repository of their own, which not every
# network reaches: CHECKS=all asks them too.
DENY := 0.20.2
CHECKS := licenses bans sources

.PHONY: dist test-dist reproducible deny
deny: $(TARGET)/deny/bin/cargo-deny
	$(TARGET)/deny/bin/cargo-deny --workspace check $(CHECKS)

$(TARGET)/deny/bin/cargo-deny:
	cargo install --locked --quiet --root $(TARGET)/deny --target-dir $(TARGET)/deny/build cargo-deny@$(DENY)

$(DIST_TOOLS)/ready: packages/requirements.txt
	python3 -m venv --clear $(DIST_TOOLS)
	$(DIST_TOOLS)/bin/pip install -q --disable-pip-version-check -r packages/requirements.txt
	touch $@

dist: tools $(DIST_TOOLS)/ready
	@tests/require.sh $(DIST_NEEDS)
	rustup target add $(TARGETS)
	for triple in $(TARGETS); do packages/build.sh $$triple; done
	rm -rf dist
	packages/pack.sh $(TARGETS)
	packages/check.sh

test-dist: test-tools $(DIST_TOOLS)/ready
	@tests/require.sh debootstrap=debootstrap unshare=util-linux qemu-aarch64-static=qemu-user-static cmake=cmake
	packages/tests/roots.sh $(SUITES)
	{ for suite in $(SUITES); do $(IN_NAMESPACE) tests/with_endpoint.sh --api-key dist-key -- packages/tests/install.sh $$suite; done; \
	    $(WITH_ENDPOINT) --api-key dist-key -- packages/tests/windows.sh; \
	    $(WITH_ENDPOINT) packages/tests/recipes.sh $(HOST_TRIPLE); } 2>&1 | tee $(LOGS)/dist.log

# Another directory, another time, and no file of the first build. The sums are those of everything that is published.
reproducible:
	@tests/require.sh diffoscope=diffoscope-minimal
	packages/tests/reproducible.sh $(TARGETS)
