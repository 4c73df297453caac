# The usual commands of the project. Each target first checks that the Debian packages it needs are installed: as root it
# installs the missing ones, otherwise it prints the command that installs them and exits with status 2. A target prints little
# unless it fails. CMakePresets.json has the configurations for users who call CMake directly.
SHELL := /bin/bash
BUILD := build
JOBS := $(shell nproc)

.PHONY: help demo build film test bench lint install soak clean

help:
	@printf '%s\n' \
	  'make build    builds the program, build/weir, and its parts' \
	  'make film     builds weir film too, with the libraries that it needs' \
	  'make demo     draws a page, enlarges it, and lists the files of the pictures' \
	  'make test     runs all tests' \
	  'make bench    measures single kernels, then whole programs (takes minutes)' \
	  'make soak     enlarges small pictures for MINUTES=2 and a long film; fails if memory or open files grow' \
	  'make lint     checks formatting, include directions, words, clang-tidy, shellcheck' \
	  'make install  installs below PREFIX=/usr/local; DESTDIR is put before it' \
	  'make clean    removes the build folders'

build:
	@scripts/need_packages build
	@scripts/build $(BUILD) weir weir_parts

film:
	@scripts/need_packages build film
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
	@scripts/soak_film $(BUILD)

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
