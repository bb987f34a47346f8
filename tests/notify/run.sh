#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# run.sh PROGRAM [SUITE...]: notifications to receivers that fail.
set -u
program=$(realpath "$1") || exit 2
shift
here=$(cd "$(dirname "$0")" && pwd)
status=0
[ $# -gt 0 ] || set -- failures kills
for suite; do
    echo "# $suite"
    /usr/bin/python3 "$here/$suite.py" "$program" || status=1
done
exit $status
