#!/bin/bash
# The suites of the verbs on another machine, as this tree is now: what this one's kernel and cgroups cannot show.
#
#   DOCENT_GUEST='ssh root@guest' tests/guest.sh [SUITE ...]
#
# DOCENT_GUEST is a command that runs its arguments there as root, passes standard input on and ends with their code. The
# machine needs a C library like the one here and the programs that the tests look with (.ci/run lists them, no compiler
# among them); what a test misses is counted as skipped. Nothing is built there: the binaries and the files of the tree go
# to the same paths as here, since tests have their paths compiled in.
#
# The last lines are a table. The exit code is 1 when a test failed; DOCENT_TESTS_STRICT=1 makes a skipped one a failure.
# DOCENT_TESTS_SLOW=30 multiplies the limits of time, for a machine that is emulated.
set -euo pipefail

tree=$(cd "$(dirname "$0")/.." && pwd)
cd "$tree"
suites=(lib verbs escape falsify cow stories streams wedged errors reset grade session network trees)

# Over there.
if [ "${1:-}" = --here ]; then
    strict=$2 code=0 table=
    export DOCENT_TESTS_SLOW=$3
    shift 3
    mkdir -p target/tmp
    # Tests of the web server hold some thousand connections at once.
    ulimit -n "$(ulimit -Hn)"
    for suite in "$@"; do
        # Named after the process that starts the tests: this shell.
        list=target/tmp/skipped-$$.txt said=target/tmp/said-$$.txt begin=$SECONDS
        echo "== $suite"
        "target/guest/$suite" 2>&1 | tee "$said" || code=1
        touch "$list"
        skipped=$(wc -l <"$list")
        [ "$skipped" = 0 ] || [ "$strict" != 1 ] || code=1
        # A suite that broke off has no such line.
        result=$(sed -n 's/^test result: .* \([0-9]*\) passed; \([0-9]*\) failed;.*/\1 \2/p' "$said")
        read -r passed failed <<<"${result:-? ?}"
        table+=$(printf '%-10s %8s %8s %8s %8s' "$suite" "$passed" "$failed" "$skipped" "$((SECONDS - begin))")$'\n'
        rm -f "$list" "$said"
    done
    controllers=$(awk '$3 == "cgroup" || $3 == "cgroup2" { print $3 }' /proc/mounts | sort -u | tr '\n' ' ')
    printf '\nLinux %s, %s\n' "$(uname -r)" "$controllers"
    printf '%-10s %8s %8s %8s %8s\n%s' suite passed failed skipped seconds "$table"
    exit $code
fi

guest=${DOCENT_GUEST:?a command that runs its arguments on the other machine as root (the head of this file tells more)}
[ $# -gt 0 ] || set -- "${suites[@]}"

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
mkdir -p "$stage/target/guest" "$stage/target/debug"
# "Executable tests/verbs.rs (target/debug/deps/verbs-0123)"; of a directory the file is main.rs, the library's is lib.rs.
cargo test --no-run 2>&1 | tee /dev/stderr | sed -n 's/^ *Executable .*\b\(tests\|src\)\/\(.*\)\.rs (\(.*\))$/\2 \3/p' |
    while read -r suite binary; do
        strip -o "$stage/target/guest/${suite%/main}" "$binary"
    done
strip -o "$stage/target/debug/docent" target/debug/docent
# What a test compiles for itself where there is a compiler.
mkdir -p "$stage/target/tmp"
[ ! -x target/tmp/act ] || cp target/tmp/act "$stage/target/tmp/act"
for suite in "$@"; do
    [ -x "$stage/target/guest/$suite" ] || { echo "there is no suite $suite" >&2; exit 2; }
done
git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$stage"
# Clocks may differ.
$guest mkdir -p "$tree" </dev/null
tar -c --owner=0 --group=0 -C "$stage" . | $guest tar -x --touch -C "$tree"
$guest bash "$tree/tests/guest.sh" --here "${DOCENT_TESTS_STRICT:-0}" "${DOCENT_TESTS_SLOW:-1}" "$@" </dev/null
