# The two that matter: `make run` and `make test`. The others are their parts.

.DEFAULT_GOAL := help
.PHONY: help run check test lint bench openapi plugins web program test-setup clean

help:              ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## */\t/' | expand -t 14

run: plugins web   ## build what changed, start server, worker and mock external service, say where to open it
	@scripts/say "building the program (the first time this takes several minutes)"
	@cargo build --release --locked -p retake
	@exec target/release/retake up

test:              ## everything: installs and starts what it needs, stops what it started
	@scripts/test

check:             ## the quick part of the tests: no services, no network, seconds after a build
	@scripts/check

lint:              ## fmt, clippy, rustdoc with warnings denied, tsc, eslint
	@scripts/lint

bench: plugins     ## speed and memory as ratios against named peers, and how well the corrections correct
	@benches/run

openapi:           ## docs/openapi.json, from the route table and the types of answers
	@RETAKE_WRITE_OPENAPI=1 cargo test --quiet --locked --workspace --lib docs_openapi_json_is_what_is_served

plugins:           ## the correction plugins, from source to dist/plugins/
	@scripts/build-plugins

web:               ## the web app, to web/out/
	@scripts/build-web

program: plugins web ## the one program with plugins and page inside: target/release/retake
	@RETAKE_COMMIT=$$(git rev-parse --short HEAD 2>/dev/null) cargo build --release --locked -p retake

test-setup:        ## RabbitMQ, Chromium, ffmpeg and mutagen from the system's packages, where they are missing
	@scripts/test-setup

clean:             ## removes what was built (not data/)
	@cargo clean
	@rm -rf dist web/out web/.next
