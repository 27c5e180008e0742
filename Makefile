# Every target does all of its own set-up and is quick when that is done already.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo test bench faults mutants boot-vm book dist check-dist lint fmt

help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

demo: ## Start a runner, run a job, stop it, then listen for a push: on this machine, without an AWS account, with the program in dist/
	@.ci/setup demo
	@.ci/python tests/demo

test: ## Run every test and every linter
	@.ci/test

bench: ## Measure the program in dist/ on loopback, beside awscli, an action in JavaScript and other policy checkers
	@.ci/setup demo peer machulav browser
	@.ci/python tests/bench $(ARGS)

book: ## Build the book and the policy checker's page, with the engine in dist/policy
	@.ci/setup book
	@.ci/book

faults: ## Play every fault, cancel and race; count what is left behind (about half an hour)
	@.ci/setup demo rust
	@.ci/faults $(ARGS)

mutants: ## Change the policy engine and the program's pure modules token by token; tell what no unit test notices (days; ARGS='--shard 0/60' a part)
	@.ci/setup rust cargo_mutants
	@.ci/mutants $(ARGS)

boot-vm: ## Boot whole machines under QEMU, slowly: EC2's data source, NVMe, zram, panics, power off (half an hour)
	@.ci/setup python machine qemu rust
	@.ci/python tests/boot_vm $(ARGS)

dist: ## Build what users run into dist/, reproducibly (10 minutes; the first time 25)
	@.ci/dist

check-dist: ## Tell whether dist/ was built from these sources (no rebuild)
	@.ci/dist --check

lint: ## Run the linters alone
	@.ci/test --lint

fmt: ## Format the Rust code
	@.ci/setup rust
	@source .ci/settings.sh && cargo fmt --all
