# Most targets are steps of .ci/run, so that what passes here passes there.

.DEFAULT_GOAL := help

COUNT    ?= 10
FUZZTIME ?= 30s
BENCH    ?= .

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: check
check: ## What a change must pass: format, vet, lint and tests with the race detector
	.ci/run format vet tidy lint race

.PHONY: test
test: ## Run the tests
	go test ./... ./example/...

.PHONY: race
race: ## Run the tests with the race detector; a skipped test is a failure
	.ci/run race

.PHONY: nested
nested: ## Check and test the modules within the repository: metrics for Prometheus and OpenTelemetry
	.ci/run nested

.PHONY: compat
compat: ## Test the cache in servers with gin, echo, chi, fiber, ent, tracers and loaders, and with the oldest gqlgen
	.ci/run compat

.PHONY: floor
floor: ## Test the library with the gqlgen that it requires, in a copy of the tree
	.ci/run floor

.PHONY: panel
panel: ## Check the playground's sources and build its assets
	npm --prefix gqlcache/panel/ui ci
	npm --prefix gqlcache/panel/ui run check
	npm --prefix gqlcache/panel/ui run build

.PHONY: browser
browser: ## Test the playground in a browser; screenshots go to .ci/out/screenshots
	.ci/run browser

.PHONY: dashboard
dashboard: ## Check the Grafana dashboard and the alerts against a Prometheus
	.ci/run dashboard

.PHONY: lint
lint: ## Run the linters of .golangci.yml
	.ci/run lint

.PHONY: fmt
fmt: ## Format the Go files
	gofmt -w $$(git ls-files -co --exclude-standard '*.go')

.PHONY: tidy
tidy: ## Tidy go.mod and go.sum of all modules but tools
	@git ls-files '*go.mod' | grep -v '^tools/' | xargs -n 1 dirname | while read -r dir; do GOWORK=off go -C "$$dir" mod tidy; done

.PHONY: generate
generate: ## Write generated code
	go generate ./... ./example/...

.PHONY: checkgen
checkgen: ## Check that generated code is up to date
	.ci/run generated

.PHONY: bench
bench: ## Run the benchmarks six times into .ci/out/bench.txt and sum up (BENCH=regexp)
	@mkdir -p .ci/out
	go test -run '^$$' -bench '$(BENCH)' -count 6 ./... ./example/... | tee .ci/out/bench.txt
	GOWORK=off go tool -modfile=tools/go.mod benchstat .ci/out/bench.txt

.PHONY: fuzz
fuzz: ## Run each fuzz target for FUZZTIME, 30 seconds unless told
	FUZZTIME=$(FUZZTIME) .ci/run fuzz

.PHONY: soak
soak: ## Run all tests COUNT times in random order with the race detector, long random histories, and the bounds of memory at full size
	go test -race -shuffle on -count $(COUNT) -timeout 2h ./... ./example/...
	go test -timeout 2h -count 1 -v -run 'TestSameAnswers$$' ./example -args -history.runs $(COUNT) -history.steps 20000
	go test -timeout 2h -count 1 -v -run TestNoStaleReads ./example -args -stale.reads $$(( $(COUNT) * 100000 ))
	go test -timeout 2h -count 1 -v -run TestSharedEntriesAreAnsweredAlike ./example -args -rapid.checks $$(( $(COUNT) * 1000 ))
	go test -timeout 2h -count 1 -v -run TestThreeProcesses ./example -args -processes.time $$(( $(COUNT) * 6 ))s
	go test -timeout 2h -count 1 -v -run TestOutageUnderLoad ./gqlcache -args -outage.time 1m
	GOWORK=off go -C gqlcache/footprint/e2e test -timeout 4h -count 1 -v -run 'TestProperty$$' . -args -property.pairs $$(( 1000000 + $(COUNT) * 10000 ))
	go test -timeout 2h -count 1 -v -run 'TestDocumentsCostLittleMore|TestTagsAreWithinMaxBytes' ./gqlcache -args -memory.full

.PHONY: mutants
mutants: ## Break the rules one by one and check that a test notices
	.ci/run mutants

.PHONY: trips
trips: ## Count the functions and files that requests go through (TRIP=name lists one, file by file)
	go run ./internal/trips $(if $(TRIP),-trip '$(TRIP)')

.PHONY: run
run: ## Run the example server
	go run ./example

.PHONY: cluster
cluster: ## Run two example servers side by side over one redis-server and one database
	example/cluster.sh
