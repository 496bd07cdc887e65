# Everything a clone needs: `make` lists the targets, each installs what it uses (see tools/bootstrap.sh).
SHELL := /bin/bash
# Started over a socket, bash takes itself for a remote shell and reads the machine's bashrc, which -u may not survive.
.SHELLFLAGS := --norc -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

NODE_DIR := tools/node/node_modules
export PATH := $(CURDIR)/$(NODE_DIR)/.bin:$(CURDIR)/node_modules/.bin:$(PATH)

CLI := dist/userns-audit.cjs
SOURCES := $(shell find src -name '*.ts') package.json tools/build.js
ARGS ?=

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  \033[1mmake %-13s\033[0m %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: $(CLI) ## Audit this machine (make run ARGS='-o wide')
	@# Findings (1) and limited sight (2) are answers, no failures of make.
	@node $(CLI) node $(ARGS) || [ $$? -le 2 ]
	@echo; echo 'As a page that keeps itself current, with /metrics: node $(CLI) serve'

.PHONY: build
build: $(CLI) ## Bundle the command line into dist/

.PHONY: test
test: $(CLI) ## Static checks and all tests, with real containers (root on Debian)
	@$(MAKE) check
	@node --experimental-vm-modules --no-warnings node_modules/jest/bin/jest.js $(ARGS)

.PHONY: check
check: node_modules/.installed ## Types, lint, format and drift of generated files
	@tsc
	@eslint --max-warnings 0 .
	@prettier --check --log-level warn .
	@node tools/generate.ts --check

.PHONY: format
format: node_modules/.installed ## Rewrite the sources in the house format
	@eslint --fix . ; prettier --write --log-level warn .

.PHONY: generate
generate: node_modules/.installed ## Rewrite the generated files (docs/rules, docs/profiles.md, docs/cli.md)
	@node tools/generate.ts

.PHONY: manifests
manifests: node_modules/.installed ## Render manifests/ and bundle/ from the chart (builds Helm once; needs Go)
	@node tools/generate-manifests.ts

.PHONY: release
release: $(CLI) ## Make what is published, in dist/release (RELEASE_URL=https://…: where it is downloaded from, for krew)
	@node tools/release.ts dist/release && cat dist/release/SHA256SUMS

.PHONY: bench
bench: $(CLI) ## Measure the budgets side by side with the alternatives
	@node bench/run.ts
	@node bench/scan.ts
	@node bench/etcd.ts
	@node bench/controller.ts
	@node bench/agent.ts

.PHONY: control-plane
control-plane: node_modules/.installed ## Build the kube-apiserver and etcd of the tests (minutes, once; needs Go)
	@node test/control-plane/control-plane.ts

.PHONY: image
image: $(CLI) ## Assemble the image as an OCI archive, dist/image.tar
	@node tools/image.ts dist/image.tar

.PHONY: clean
clean: ## Remove what the build made
	@rm -rf dist node_modules $(NODE_DIR)

$(CLI): $(SOURCES) node_modules/.installed
	@node tools/build.js

node_modules/.installed: package.json package-lock.json .npmrc $(NODE_DIR)/.installed
	@npm ci --no-progress --loglevel=error >/dev/null
	@touch $@

$(NODE_DIR)/.installed: tools/node/package.json tools/node/package-lock.json tools/bootstrap.sh
	@tools/bootstrap.sh
	@touch $@
