#!/usr/bin/env bash
# Runs the tests: bash tests/run.sh [--all] [arguments of pytest]
#
# Creates the environment .venv if it does not exist. --all also runs the tests that take minutes, and repeats the quick
# tests with transformers 4.30 (without the span model) and with the newest 5.x (with all families of local models). Their
# environments are outside the repository, in $XDG_CACHE_HOME or ~/.cache. To create one again, delete its folder.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source syn_pipelines/environment.sh

selection=(-m "not slow")
if [ "${1:-}" = --all ]; then
    all=yes
    selection=()
    shift
fi
environments=${XDG_CACHE_HOME:-$HOME/.cache}/label-extension-tests
export HF_HUB_OFFLINE=1 TOKENIZERS_PARALLELISM=false

make_environment requirements.txt tests/requirements.txt
"$python" -m pytest "${selection[@]}" "$@"
[ -n "${all:-}" ] || exit 0

echo "--- transformers 4.30"
(
    VENV=$environments/glm3 BELOW=12 PYTHON="${PYTHON:-} python3.11 python3.10"
    make_environment requirements-glm3.txt tests/requirements.txt
    "$python" -m pytest -m "not slow" --ignore=tests/ner "$@"
)

echo "--- the newest transformers"
(
    VENV=$environments/newest
    make_environment requirements.txt tests/requirements.txt
    if ! "$python" -c 'import sys, transformers; sys.exit(transformers.__version__ < "5")'; then
        "$python" -m pip install --quiet --disable-pip-version-check --upgrade 'transformers>=5,<6' # as README.md says
    fi
    "$python" -m pytest -m "not slow" "$@"
    "$python" -m pytest tests/llm/test_local_families.py
)
