#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs every fuzz target over its seed corpus; run by `make check` in the build directory.
set -e
for target in tests/fuzz/fuzz_*; do
    case $target in
    *.*) continue ;;
    esac
    "$target" "$CONTRACE_SRC_DIR/tests/fuzz/corpus/${target#tests/fuzz/fuzz_}"
done
