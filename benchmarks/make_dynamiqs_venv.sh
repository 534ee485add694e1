#!/usr/bin/env bash
# dynamiqs is a peer in a benchmark only, not a dependency: it gets an environment of its own.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -x .venv-dynamiqs/bin/python ] || "${PYTHON:-python3}" -m venv .venv-dynamiqs
.venv-dynamiqs/bin/pip install --quiet 'dynamiqs==0.3.7'
