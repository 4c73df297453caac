# The front door: each target installs the Debian packages that it lacks (as root) or prints the line to run (exit 2).
# Quiet on success. CMakePresets.json holds the configurations for those who prefer CMake itself.
SHELL := /bin/bash
BUILD := build
JOBS := $(shell nproc)

.PHONY: help demo build test bench lint install soak clean

help:
	@printf '%s\n' \
	  'make build    the program, build/weir, and its parts' \
	  'make demo     draws a page, enlarges it, tells where the pictures are' \
	  'make test     all tests' \
	  'make bench    micro-kernels, then whole programs (takes minutes)' \
	  'make soak     MINUTES=2 of small pictures; memory and descriptors must not grow' \
	  'make lint     formatting, include directions, clang-tidy, shellcheck' \
	  'make install  PREFIX=/usr/local; DESTDIR is respected' \
	  'make clean    removes the build folders'

build:
	@scripts/need_packages build
	@scripts/build $(BUILD) weir weir_parts

demo:
	@scripts/need_packages build
	@scripts/build $(BUILD) weir weir_demo_page
	@scripts/demo $(BUILD)

test:
	@scripts/need_packages build test
	@scripts/build $(BUILD) all weir_tests
	@scripts/run_tests $(BUILD)

bench:
	@scripts/need_packages build test bench peer
	@scripts/build $(BUILD) weir_benchmarks
	@bench/run $(BUILD)

soak: build
	@scripts/build $(BUILD) weir_demo_page weir_resampling_network
	@scripts/soak $(BUILD)

lint:
	@scripts/need_packages build test lint
	@scripts/fetch_grammars || true
	@scripts/build $(BUILD) weir_shaders
	@scripts/lint $(BUILD)

PREFIX ?= /usr/local
install:
	@scripts/need_packages build
	@scripts/build $(BUILD) all
	@cmake --install $(BUILD) --prefix $(PREFIX) >/dev/null
	@echo "installed below $(DESTDIR)$(PREFIX)"

clean:
	@rm -rf build build-*
