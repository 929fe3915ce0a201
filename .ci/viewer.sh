#!/usr/bin/env bash
# Builds the browser viewer anew from its sources and compares it, byte for byte, with the committed one.
#   .ci/viewer.sh [CHECKOUT]
set -euo pipefail

checkout=${1:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)}
viewer=$checkout/atom_hf/render/viewer
if ! command -v npm >/dev/null || ! command -v node >/dev/null; then
    echo "SKIPPED: the viewer was not built anew, since npm is not installed."
    exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir "$work/js"
cp -r "$viewer"/js/{build.mjs,package.json,package-lock.json,src} "$work/js"
cp "$viewer/js/.npmrc" "$work/js"
cd "$work/js"
npm ci --no-audit --no-fund --ignore-scripts --loglevel=error
node build.mjs "$work/static"

for name in viewer.js viewer.css LICENSE.three.txt; do
    cmp "$work/static/$name" "$viewer/static/$name" || {
        echo "static/$name is not what its sources give: run npm ci && npm run build in $viewer/js and commit static/."
        exit 1
    }
done
echo "static/ is what its sources give ($(wc -c <"$viewer/static/viewer.js") bytes)."
