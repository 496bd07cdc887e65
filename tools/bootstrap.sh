#!/usr/bin/env bash
# Brings the pinned Node.js as an npm package, so that the machine's own Node.js may be of any age.
set -euo pipefail
cd "$(dirname "$0")/node"

if ! command -v npm >/dev/null; then
  if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    echo "npm is not installed: installing it with apt-get" >&2
    apt-get -qq update && apt-get -qq install -y --no-install-recommends npm >/dev/null
  else
    echo "npm is needed to fetch Node.js and the packages: install Node.js (any version) with npm, then run make again" >&2
    exit 1
  fi
fi
npm ci --no-progress --loglevel=error >/dev/null
if ! node_modules/.bin/node --version >/dev/null 2>&1; then
  echo "no Node.js package for $(uname -s)/$(uname -m): put Node.js 24 first on PATH and run: touch tools/node/node_modules/.installed" >&2
  exit 1
fi
