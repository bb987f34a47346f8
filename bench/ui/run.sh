#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# run.sh PROGRAM [DIR]: how soon the pages of `PROGRAM serve` show what one came for, how fluent a thousand
# findings are, and what the UI weighs. With DIR, which has a store of any size as `store` (and its database as
# data/cocket/advisory.db), that one is served; else the store that tests/web makes. Prints figures; exit status 1
# where a bar is missed.
set -u
here=$(cd "$(dirname "$0")" && pwd)
[ $# -ge 1 ] || { sed -n 3,6p "$0"; exit 2; }
export BENCH_STORE=${2:+$(realpath "$2")} WEB_MAIN=$here/paint.mjs
exec "$here/../../tests/web/run.sh" "$1"
