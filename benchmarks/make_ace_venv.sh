#!/usr/bin/env bash
# ACE-OQS is a peer in a benchmark only, not a dependency: it gets an environment of its own.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -x .venv-ace/bin/python ] || "${PYTHON:-python3}" -m venv .venv-ace
.venv-ace/bin/pip install --quiet 'ACE-OQS==1.3.3' numpy
