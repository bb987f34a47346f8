#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# run.sh PROGRAM [SUITE...]: the pages of `PROGRAM serve`, opened in Chromium. Screenshots are left in
# build/screenshots.
set -u
program=$(realpath "$1") || exit 2
shift
here=$(cd "$(dirname "$0")" && pwd)
build=$(realpath -m "$here/../../build")
export CHROMIUM=${CHROMIUM:-$(command -v chromium)} WEB_MODULES=$build/web-tests WEB_SCREENSHOTS=$build/screenshots

skip() {
    echo "ok web # skip $1"
    exit 0
}
[ -n "$CHROMIUM" ] || skip "there is no chromium"
command -v npm >/dev/null || skip "there is no npm"
node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 18 ? 1 : 0)' || skip "node is older than 18"

# What npm brings stays out of the source tree.
mkdir -p "$WEB_MODULES" "$WEB_SCREENSHOTS"
for f in package.json package-lock.json .npmrc; do
    cmp -s "$here/$f" "$WEB_MODULES/$f" || rm -f "$WEB_MODULES/.done"
    cp "$here/$f" "$WEB_MODULES/$f"
done
if [ ! -e "$WEB_MODULES/.done" ]; then
    (cd "$WEB_MODULES" && npm ci --no-progress --loglevel=error >&2) || skip "npm ci brings nothing"
    touch "$WEB_MODULES/.done"
fi
exec "$here/world.py" "$program" node "$here/main.mjs" "$@"
