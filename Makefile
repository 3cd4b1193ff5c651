# SPDX-License-Identifier: BSD-2-Clause
# A thin front: Meson builds (meson.build), dist/deps installs, tests/run tests.
BUILD ?= build
# Options of `meson setup`, and the prefix among them.
MESON_OPTIONS ?=
PREFIX ?= $(prefix)
override MESON_OPTIONS := $(strip $(MESON_OPTIONS) $(if $(PREFIX),--prefix=$(PREFIX)))
SUITES ?=
ARGS ?=
export BUILD MESON_OPTIONS
unexport PREFIX prefix

.DEFAULT_GOAL := build
.PHONY: deps build run test test-all bench install uninstall deb clean format tidy help

help:
	@echo 'make run        build what it takes, and show who sends and receives what (root; ARGS="...")'
	@echo 'make build      what make install installs'
	@echo 'make install    PREFIX=/usr/local, DESTDIR and MESON_OPTIONS are heard'
	@echo 'make uninstall  with the same PREFIX and DESTDIR'
	@echo 'make test       the tests of every change (root; SUITES="unit live ...", see tests/run --help)'
	@echo 'make test-all   the tests of a release: hours'
	@echo 'make bench      the figures (root; ARGS="...")'
	@echo 'make deb        Debian packages, into build-deb/packages'
	@echo 'make deps       Debian packages for all of these; the others install what they need'
	@echo 'make format     clang-format all C; make tidy: clang-tidy and shellcheck'
	@echo 'make clean      remove what was built; guest kernels are kept'

deps:
	@dist/deps

build:
	@dist/deps build
	@dist/build $(BUILD) $(MESON_OPTIONS) -- installed

# Only the program, and quietly: the screen is for what is to be seen.
run:
	@test "$$(id -u)" = 0 || { echo 'make run: needs root to see every socket: sudo make run' >&2; exit 1; }
	@dist/deps build
	@dist/build $(BUILD) $(MESON_OPTIONS) -- netprobe >&2
	@$(BUILD)/netprobe $(ARGS)

test:
	@dist/deps build test $(or $(SUITES),$(shell tests/run --list))
	@tests/run $(SUITES)

test-all:
	@dist/deps build test $(or $(SUITES),$(shell tests/run --list))
	@tests/run --all $(SUITES)

bench:
	@dist/deps build bench
	@dist/build $(BUILD) $(MESON_OPTIONS) >&2
	@tests/bench/run $(ARGS)

# The log of an earlier one may be root's.
install: build
	@rm -f $(BUILD)/meson-logs/install-log.txt
	@meson install -C $(BUILD) --no-rebuild

uninstall:
	@dist/deps build
	@dist/build $(BUILD) $(MESON_OPTIONS) -- none >&2
	@dist/uninstall $(BUILD)

# By debian/, from what is here as a source package.
deb:
	@dist/deps build deb
	@dist/deb build-deb/packages

clean:
	@rm -rf build-*/
	@test ! -e $(BUILD)/.options || find $(BUILD) -mindepth 1 -maxdepth 1 ! -name kernels -exec rm -rf {} +

format:
	@git ls-files '*.c' '*.h' | xargs clang-format-14 -i

tidy:
	@dist/deps build test tidy
	@dist/build $(BUILD) $(MESON_OPTIONS) >&2
	@tests/tidy $(BUILD)
