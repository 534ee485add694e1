#!/usr/bin/env bash
# idesolver 1.1 needs numpy < 2, bathax numpy >= 2.1: it gets an environment of its own.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -x .venv-idesolver/bin/python ] || "${PYTHON:-python3}" -m venv .venv-idesolver
.venv-idesolver/bin/pip install --quiet 'idesolver==1.1' 'numpy<2'
