#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# run.sh PROGRAM [SUITE...]: the suites of the gateway, each an executable file here that takes the
# program and prints ok and not ok lines. Without names: all of them.
set -u
program=$(realpath "$1") || exit 2
shift
here=$(cd "$(dirname "$0")" && pwd)
# What tools/newer-packages.sh brought.
for bin in "$here"/../../build/newer/*/usr/bin; do
    [ -d "$bin" ] && PATH=$PATH:$bin
done
status=0
[ $# -gt 0 ] || for suite in "$here"/*.py; do
    [ -x "$suite" ] && set -- "$@" "$(basename "$suite" .py)"
done
for suite; do
    echo "# $suite"
    "$here/$suite.py" "$program"
    case $? in
    0) ;;
    77) echo "ok $suite # skip what it needs is not there" ;;
    *)
        echo "# $suite ended with a failure"
        status=1
        ;;
    esac
done
exit $status
