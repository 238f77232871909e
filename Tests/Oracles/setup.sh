#!/usr/bin/env bash
# Installs the independent readers that tests compare ours with, into .build/oracles.
#
# `dockerfile` on PyPI binds BuildKit's own Dockerfile parser, which is written in Go.
set -euo pipefail
cd "$(dirname "$0")/../.."
directory=.build/oracles
if [[ ! -x $directory/bin/python ]]; then
  if ! python3 -c 'import ensurepip' 2>/dev/null; then
    apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-venv
  fi
  python3 -m venv "$directory"
fi
"$directory/bin/python" -c 'import dockerfile' 2>/dev/null ||
  "$directory/bin/pip" install --quiet --disable-pip-version-check dockerfile==3.4.0
