# make dev    sets up and runs Hedgerow on this machine
# make test   sets up and runs every check
# make test-aws    deploys the templates to a local AWS and uses what stands there; FULL=1 with each function's own binary
# make bench  measures
# make gen    writes what is generated from the routes' declarations
# make deploy-one F=get-values STACK=hedgerow    builds one function and puts it into a stack

TOOLS := .tools
DENY  := $(TOOLS)/bin/cargo-deny
LINT  := $(TOOLS)/venv/bin/cfn-lint
LAMBDA := $(TOOLS)/lambda/bin/cargo-lambda

# What the receivers of webhooks need that the documentation shows.
RECEIVERS := tests/receivers
NODE      := $(RECEIVERS)/node/node_modules/.package-lock.json
PYTHON    := $(RECEIVERS)/python/venv/installed

# Holds the API's description to what the API does.
OPENAPI := tests/openapi
SCHEMATHESIS := $(OPENAPI)/venv/installed

# Deploys the templates to a local AWS.
AWS := tests/aws/venv/installed

# The tests of single packages that see them from the outside.
PACKAGES := $(notdir $(patsubst %/main,%,$(patsubst %.rs,%,$(wildcard */*/tests/*.rs */*/tests/*/main.rs))))

.PHONY: dev test test-aws test-arm64 bench gen lint advisories receivers openapi deploy-one

dev:
	cargo run --package hedgerow -- dev $(ARGS)

gen:
	cargo xtask gen

# Runs a part, and says what it took: $(call part,its name,its command)
part = @began=$$(date +%s); $(2) && echo "-- $(1): $$(($$(date +%s) - began)) s"

# What runs is built with what the tests are, by selecting one of them: it would be built twice otherwise, since features
# are unified over all that is selected.
PROGRAMS := cargo build --quiet --workspace --bin hedgerow --bin merge-values --bin send-mail --bin xtask --bin every-function --test used
TESTS    := cargo test --quiet --workspace

# The tests come last, so that a run ends with their own closing lines. The functions' one-line mains have none.
test:
	$(call part,the build of the programs,$(PROGRAMS))
	$(call part,lint,$(MAKE) --no-print-directory lint)
	$(call part,receivers,$(MAKE) --no-print-directory receivers)
	$(call part,openapi,$(MAKE) --no-print-directory openapi)
	$(call part,the deployed templates,$(MAKE) --no-print-directory test-aws)
	$(call part,a build for arm64,$(MAKE) --no-print-directory test-arm64)
	$(call part,the build of the tests,$(TESTS) --no-run --lib --test '*')
	rm -rf target/tmp/uses-of-roles
	$(call part,unit tests and those of single packages,$(TESTS) --lib $(PACKAGES:%=--test %))
	$(call part,fuzz targets,$(TESTS) --test fuzz)
	$(call part,tests over HTTP,$(TESTS) --test http)
	$(call part,tests of webhooks,$(TESTS) --test webhooks)
	$(call part,tests under faults,$(TESTS) --test faults)
	$(TESTS) --test used -- --ignored

# W3002: folders and templates are named by local paths, which `sam deploy` and `aws cloudformation package` upload.
lint: $(DENY) $(LINT)
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --quiet -- --deny warnings
	$(DENY) --log-level error check licenses bans sources
	$(PROGRAMS)
	target/debug/xtask gen --check
	$(LINT) --ignore-checks W3002 -- infra/template.yaml infra/kept.yaml infra/stacks/*.yaml

receivers: $(NODE) $(PYTHON)

openapi: $(SCHEMATHESIS)
	$(PROGRAMS)
	$(<D)/bin/python $(OPENAPI)/run.py target/debug/hedgerow

# One binary serves every function, which costs one link; with FULL=1 each has its own, as it is deployed.
test-aws: $(AWS)
	$(PROGRAMS)
ifdef FULL
	cargo build --quiet --release --workspace --exclude hedgerow-tests --bins
endif
	$(<D)/bin/python tests/aws/run.py $(if $(FULL),target/release,target/debug/every-function)

# That one function can be built for what the templates deploy to unless they are told otherwise, not where that is put
# which is deployed. Its standard library comes from Rust's own server, which not every machine reaches.
test-arm64: $(LAMBDA)
	@if rustup --quiet target add aarch64-unknown-linux-gnu; then \
		PATH="$(abspath $(<D)):$$PATH" cargo lambda build --quiet --arm64 --lambda-dir target/arm64 --package operations --bin get-health; \
	else echo 'the standard library for arm64 cannot be had here: no function is built for it'; fi

# The advisory database is fetched from its public repository.
advisories: $(DENY)
	$(DENY) check advisories

bench:
	cargo build --quiet --release --workspace --exclude hedgerow-tests --bins
	target/release/bench

# For a name that no function has, the tool would make a function, with a role, beside the stack's.
STACK := hedgerow
deploy-one:
	@test -n "$(F)" || { echo 'which function? make deploy-one F=get-values STACK=$(STACK)'; exit 2; }
	@arch=$$(aws lambda get-function-configuration --function-name $(STACK)-$(F) --query 'Architectures[0]' --output text) \
		|| { echo 'nothing is deployed: $(STACK)-$(F) has to be a function of the stack $(STACK)'; exit 2; }; \
	set -x; cargo lambda build --release $$(test $$arch = x86_64 || echo --arm64) --bin $(F) \
		&& cargo lambda deploy $(STACK)-$(F) --binary-name $(F)

$(DENY):
	cargo install --quiet --locked --debug --root $(TOOLS) cargo-deny@0.20.2

$(LINT):
	python3 -m venv $(TOOLS)/venv
	$(TOOLS)/venv/bin/pip install --quiet --disable-pip-version-check cfn-lint==1.58.0

# It brings zig, which links for other machines.
$(LAMBDA):
	python3 -m venv $(TOOLS)/lambda
	$(TOOLS)/lambda/bin/pip install --quiet --disable-pip-version-check cargo-lambda==1.9.2

$(NODE): $(RECEIVERS)/node/package-lock.json
	npm ci --silent --no-audit --no-fund --prefix $(RECEIVERS)/node
	touch $@

$(PYTHON) $(SCHEMATHESIS) $(AWS): %/venv/installed: %/requirements.txt
	python3 -m venv $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check --requirement $<
	touch $@
