#!/bin/sh
# Lines of source, per module and in all: what a reader has to read. Without tests (`#[cfg(test)]` items, `tests.rs`,
# `*_tests.rs`), the samples of narrate, blank lines and comments. `tests/lines.sh REV` counts any revision.
#
# An item ends at the first line that closes it at the indentation of its attribute: the tree is formatted by rustfmt.
set -eu

repository=$(git -C "$(dirname "$0")" rev-parse --show-toplevel)
tree=$repository
if [ $# -gt 0 ]; then
    tree=$(mktemp -d)
    trap 'rm -rf "$tree"' EXIT
    git -C "$repository" archive "$1" src | tar -x -C "$tree"
fi

cd "$tree/src"
find . -name '*.rs' ! -name tests.rs ! -name '*_tests.rs' ! -name samples.rs | LC_ALL=C sort | xargs awk '
    FNR == 1 { test = 0; n = split(FILENAME, part, "/"); module = n > 2 ? part[2] "/" : part[2] }
    /^ *#\[cfg\(test\)\]/ { test = 1; indent = match($0, /[^ ]/); next }
    test { # Attributes and the item: over at `;`, `,` or `}` on the attribute column.
        if (match($0, /[^ ]/) == indent && $0 !~ /^ *#\[/ && $0 ~ /[;,}]$/) test = 0
        next
    }
    /^ *$/ || /^ *\/\// { next }
    { lines[module]++; all++ }
    END {
        for (module in lines) printf "%6d  %s\n", lines[module], module | "LC_ALL=C sort -k 2"
        close("LC_ALL=C sort -k 2")
        printf "%6d  in all\n", all
    }'
