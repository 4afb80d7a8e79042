# The artefacts that are published, and their tests.
#
#   make dist                        all artefacts of all targets, into dist/
#   make dist TARGETS="TRIPLE ..."   of some targets
#   make test-dist                   installs each artefact in an empty root as its users do, and sends a chat
#   make reproducible                builds again in another directory and at another time, and compares
#
# packages/targets has the targets. Not part of `make test`: a build takes minutes for each target, and the roots come from Debian's mirror.
TARGETS := $(basename $(notdir $(wildcard packages/targets/*.sh)))
SUITES := bookworm bullseye trixie
DIST_TOOLS := $(TARGET)/dist-tools
DIST_NEEDS := dpkg-deb=dpkg readelf=binutils node=nodejs npm=npm go@1.22=golang-go py:venv=python3-venv lintian=lintian

.PHONY: dist test-dist reproducible
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

test-dist: test-tools
	@tests/require.sh debootstrap=debootstrap unshare=util-linux
	packages/tests/roots.sh $(SUITES)
	for suite in $(SUITES); do $(IN_NAMESPACE) tests/with_endpoint.sh --api-key dist-key -- packages/tests/install.sh $$suite \
	    $(HOST_TRIPLE); done 2>&1 | tee $(LOGS)/dist.log

# Another directory, another time, and no file of the first build. The sums are those of everything that is published.
reproducible:
	@tests/require.sh diffoscope=diffoscope-minimal
	packages/tests/reproducible.sh $(TARGETS)
