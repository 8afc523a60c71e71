#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs every fuzz target over its seeds; run by `make check` in the build directory. Those of the
# configuration are the fixtures of its unit test, and what stands in the corpus beside them.
set -e
for target in tests/fuzz/fuzz_*; do
    case $target in
    *.*) continue ;;
    esac
    name=${target#tests/fuzz/fuzz_}
    set -- "$CONTRACE_SRC_DIR/tests/fuzz/corpus/$name"
    [ "$name" != config ] || set -- "$@" "$CONTRACE_SRC_DIR/tests/unit/fixtures/config"
    "$target" "$@"
done
