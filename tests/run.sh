#!/usr/bin/env bash
# All tests: bash tests/run.sh [--all] [pytest's own arguments]
#
# Makes the environment .venv if there is none. --all adds the tests that take minutes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source syn_pipelines/environment.sh

selection=(-m "not slow")
if [ "${1:-}" = --all ]; then
    selection=()
    shift
fi

make_environment requirements.txt tests/requirements.txt
export HF_HUB_OFFLINE=1 TOKENIZERS_PARALLELISM=false
"$python" -m pytest "${selection[@]}" "$@"
