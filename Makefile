# How to build, run and check Marquee; `make` alone lists the targets. Recipes use relative paths only, so that the
# checkout may be anywhere.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# Targets run one at a time, since they write to the same tree. The tools that they run (go, golangci-lint, node) work in parallel.
.NOTPARALLEL:
MAKEFLAGS += --no-builtin-rules --no-print-directory

# Runs a command with a private, empty PostgreSQL at MARQUEE_TEST_DATABASE_URL.
POSTGRES := go run ./internal/pgdev/cmd/with-postgres --
GOLANGCI := bin/tools/golangci-lint
# The packages whose goroutines share state. Only these are tested with the race detector, which makes tests many times slower.
CONCURRENT := internal/catalog internal/fetch internal/httpapi internal/pgdev internal/simulator internal/store internal/syncer
# The sources of the bundled pages, which are built again when one of these is newer.
WEB_SOURCES := $(wildcard web/build.mjs web/package.json web/package-lock.json web/src/* web/src/*/*)

.PHONY: help
help: ## Print this list
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

##-- Run

.PHONY: run
run: build ## Build and start everything on this machine; ARGS="--listen :9000" is passed on
	@exec bin/marquee dev $(ARGS)

# Without npm the program is built without the pages; in their place it shows how to build them.
.PHONY: build
build: ## Build bin/marquee, with GraphiQL and the REST docs when npm is there
	@$(MAKE) -q web/dist/docs.html 2>/dev/null || { tools/need.sh npm nodejs npm && $(MAKE) web; } || \
		echo 'Going on without GraphiQL and the docs viewer; "make web" builds them.' >&2
	@go build -o bin/ ./cmd/marquee

.PHONY: web
web: web/dist/docs.html ## Bundle GraphiQL and the REST docs (npm)

# The build writes this file last. It does not depend on node_modules, which need not be kept.
web/dist/docs.html: $(WEB_SOURCES)
	@tools/need.sh npm nodejs npm
	@$(MAKE) --silent web/node_modules/.installed
	@cd web && npm run --silent build

# A file of our own, not npm's .package-lock.json: npm writes that also when it only resolves versions.
web/node_modules/.installed: web/package.json web/package-lock.json
test/clients/node_modules/.installed: test/clients/package.json test/clients/package-lock.json
test/bench/peers/node_modules/.installed: test/bench/peers/package.json test/bench/peers/package-lock.json
%/node_modules/.installed:
	@tools/need.sh npm nodejs npm
	@cd $* && npm ci --no-progress --loglevel=error
	@touch $@

##-- Image

# The version in an image's labels, and its architecture and name. BUILDFLAGS are more flags of go build, for the tests on kind.
VERSION ?= dev
ARCH ?= $(shell go env GOARCH)
IMAGE ?= marquee.local/marquee:$(VERSION)

.PHONY: image
image: web/dist/docs.html ## Container image, without a base image or a container engine: bin/image/ARCH.tar; IMAGE=, VERSION=, ARCH=
	@mkdir -p bin/image/$(ARCH)
	@CGO_ENABLED=0 GOOS=linux GOARCH=$(ARCH) go build -trimpath -buildvcs=false $(BUILDFLAGS) \
		-ldflags '-s -w -buildid= -X main.version=$(VERSION)' -o bin/image/$(ARCH)/marquee ./cmd/marquee
	@cp /etc/ssl/certs/ca-certificates.crt bin/image/
	@cd tools && go run ./cmd/image -binary ../bin/image/$(ARCH)/marquee -certificates ../bin/image/ca-certificates.crt -arch $(ARCH) -tag '$(IMAGE)' \
		-version '$(VERSION)' -revision "$$(git rev-parse HEAD 2>/dev/null || true)" -created "$$(git log -1 --format=%ct 2>/dev/null || echo 0)" \
		../bin/image/$(ARCH).tar
	@echo '$(IMAGE): bin/image/$(ARCH).tar, '"$$(($$(stat -c %s bin/image/$(ARCH).tar) / 1000000)) MB"

##-- Kubernetes

.PHONY: kind-up
kind-up: ## Marquee on a kind cluster of this machine (Docker, kubectl, helm)
	@deploy/kind/up.sh

.PHONY: kind-down
kind-down: ## Delete that cluster
	@go tool kind delete cluster --name marquee --kubeconfig bin/kubeconfig

.PHONY: e2e
e2e: ## Test the chart on a kind cluster of its own (Docker, kubectl, helm)
	@MARQUEE_E2E=1 go test -v -count=1 -timeout 40m ./test/e2e

##-- Check

.PHONY: check
check: test lint verify chart-test browser-test clients-test golden ## Everything that CI checks

.PHONY: test
test: ## Unit, property and integration tests, then the concurrent packages with the race detector
	@cd tools && go test ./cmd/...
	@$(POSTGRES) $(MAKE) test-plain test-race

# Parts of test, under its PostgreSQL.
.PHONY: test-plain test-race
test-plain:
	@go test -timeout 5m ./...
test-race:
	@if command -v "$$(go env CC)" >/dev/null; then \
		CGO_ENABLED=1 go test -race -short -timeout 5m $(patsubst %,./%/...,$(wildcard $(CONCURRENT))); \
	else \
		echo 'Skipped: the race detector needs a C compiler (Debian: gcc libc6-dev).'; \
	fi

.PHONY: chart-test
chart-test: ## Test the chart by the API server's own validation and its alerts by promtool, without a cluster; UPDATE=1 writes the golden manifests
	@tools/need.sh promtool prometheus
	@cd test/chart && go test ./... $(if $(UPDATE),-update)

.PHONY: golden
golden: ## Acceptance tests with the real feeds in the folder MARQUEE_FEEDS
	@$(POSTGRES) go test -count=1 -v -timeout 5m ./test/golden/...

.PHONY: browser-test
browser-test: build web/node_modules/.installed ## Test the pages in a real Chromium
	@[ -n "$${CHROMIUM_PATH:-}" ] || tools/need.sh chromium chromium
	@CHROMIUM_PATH="$${CHROMIUM_PATH:-$$(command -v chromium)}" test/with-marquee.sh npm --prefix web test --silent

.PHONY: clients-test
clients-test: build test/clients/node_modules/.installed ## Test with real GraphQL clients, and by the audit of GraphQL over HTTP
	@test/with-marquee.sh npm --prefix test/clients test --silent

.PHONY: lint
lint: $(GOLANGCI) bin/tools/precheck ## Lint, and check the import rules
	@$(GOLANGCI) run ./...
	@cd tools && ../$(GOLANGCI) run --config ../.golangci.yml ./...
	@cd test/chart && ../../$(GOLANGCI) run --config ../../.golangci.yml ./...
	@git ls-files -z --cached --others --exclude-standard | xargs -0 -r bin/tools/precheck

.PHONY: verify
verify: ## Fail if generated files are not what make generate writes
	@tools/verify.sh
	@go mod tidy -diff
	@cd tools && go mod tidy -diff
	@cd test/chart && go mod tidy -diff

.PHONY: vuln
vuln: bin/tools/govulncheck ## Look for known vulnerabilities that our code can reach
	@bin/tools/govulncheck ./...

.PHONY: bench
bench: ## Run benchmarks; BENCH=Name picks some
	@$(POSTGRES) go test -run '^$$' -bench '$(or $(BENCH),.)' -benchmem ./...

.PHONY: bench-report
bench-report: ## Measure reads and write docs/benchmarks.md; MARQUEE_BENCH_EVENTS picks the sizes (half an hour)
	@MARQUEE_BENCH_REPORT="$(CURDIR)/docs" MARQUEE_BENCH_EVENTS=$${MARQUEE_BENCH_EVENTS:-50000,500000,5000000} \
		$(POSTGRES) go test -run '^$$' -bench '^BenchmarkReads$$' -benchtime 1x -timeout 2h ./test/bench

# FastAPI is installed from Debian's packages; on other systems it is left out.
.PHONY: bench-peers
bench-peers: test/bench/peers/node_modules/.installed ## Measure Marquee beside PostGraphile, Mercurius and FastAPI and write docs/peers.md (three minutes)
	@tools/need.sh uvicorn uvicorn python3-fastapi python3-sqlalchemy python3-asyncpg python3-uvloop python3-httptools python3-ujson || echo 'Going on without FastAPI.' >&2
	@MARQUEE_BENCH_PEERS="$(CURDIR)/docs" $(POSTGRES) go test -run '^$$' -bench '^BenchmarkPeers$$' -benchtime 1x -timeout 10m ./test/bench

##-- Change

.PHONY: fmt
fmt: $(GOLANGCI) ## Format (gofumpt, import order)
	@$(GOLANGCI) fmt ./...
	@cd tools && ../$(GOLANGCI) fmt --config ../.golangci.yml ./...
	@cd test/chart && ../../$(GOLANGCI) fmt --config ../../.golangci.yml ./...

.PHONY: generate
generate: ## Generate: ent, gqlgen, the chart's schema and README
	@go generate ./ent
	@go tool gqlgen generate
	@cd test/bench/entql && go tool gqlgen generate
	@cd tools && go run ./cmd/chartdocs ../charts/marquee

.PHONY: migration
migration: ## Write a migration from the last one to the ent schema: NAME=add_price
	@test -n '$(NAME)' || { echo 'Give it a name: make migration NAME=add_price' >&2; exit 1; }
	@go run ./ent/migrate/diff '$(NAME)'

.PHONY: hooks
hooks: tools ## Install the git hooks (lefthook)
	@bin/tools/lefthook install

.PHONY: tools
tools: $(GOLANGCI) bin/tools/gofumpt bin/tools/govulncheck bin/tools/lefthook bin/tools/precheck ## Build the pinned tools into bin/tools

# In the versions of tools/go.mod. The first build of golangci-lint takes minutes.
$(GOLANGCI): PACKAGE := github.com/golangci/golangci-lint/v2/cmd/golangci-lint
bin/tools/gofumpt: PACKAGE := mvdan.cc/gofumpt
bin/tools/govulncheck: PACKAGE := golang.org/x/vuln/cmd/govulncheck
bin/tools/lefthook: PACKAGE := github.com/evilmartians/lefthook
bin/tools/precheck: PACKAGE := ./cmd/precheck
bin/tools/precheck: $(wildcard tools/cmd/precheck/*.go)
bin/tools/%: tools/go.mod tools/go.sum
	@cd tools && go build -o ../bin/tools/ $(PACKAGE)
	@touch $@

.PHONY: clean
clean: ## Remove what was built; the data of make run is kept
	@rm -rf bin web/node_modules test/clients/node_modules test/bench/peers/node_modules
	@find web/dist -mindepth 1 -not -name .gitkeep -delete
