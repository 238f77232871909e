# `make demo` and `make test` need a Debian 12 machine with Swift 6.3 and root; they install the
# Debian packages that are missing.

.PHONY: demo test bench format lint docs clean

SOURCES = Sources Tests Examples Benchmarks Package.swift

demo:
	@Scripts/demo

test:
	@Scripts/test

bench:
	@Scripts/bench

format:
	swift format --in-place --recursive $(SOURCES)

lint:
	swift format lint --strict --recursive $(SOURCES)

clean:
	rm -rf .build .demo
