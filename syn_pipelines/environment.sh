# Sourced by run_*.sh and tests/run.sh: makes the virtual environment .venv if need be, and sets $python.
#
#   make_environment FILE...     install the requirement files; a second call with the same files costs nothing
#
# PYTHON  the interpreter to make it with (3.10 to 3.12); the first fitting one is taken
# BELOW   the first minor version of Python 3 that does not fit; 13 by default
# VENV    where it stands; .venv by default
# TORCH   the torch to install; a CPU build, or one for an older CUDA, is chosen here or installed beforehand

VENV=${VENV:-.venv}
TORCH=${TORCH:-torch==2.13.0}
BELOW=${BELOW:-13}

find_python() {
    local candidate
    for candidate in ${PYTHON:-python3 python3.11 python3.12 python3.10 python}; do
        if "$candidate" -c "import sys; sys.exit(not (3, 10) <= sys.version_info < (3, $BELOW))" 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "no Python from 3.10 to 3.$((BELOW - 1)) found: install one, or name it: PYTHON=/path/to/python3.11 bash $0" >&2
    return 1
}

make_environment() {
    local found stamp
    if [ ! -x "$VENV/bin/python" ]; then
        found=$(find_python) || exit 1
        echo "making the environment $VENV with $("$found" --version)"
        "$found" -m venv "$VENV"
    fi
    python=$VENV/bin/python
    stamp=$VENV/installed-$(cat "$@" | cksum | cut -d' ' -f1)
    if [ ! -f "$stamp" ]; then
        echo "installing $TORCH and $* (a few minutes)"
        "$python" -m pip install --quiet --disable-pip-version-check "$TORCH"
        "$python" -m pip install --quiet --disable-pip-version-check $(printf -- '-r %s ' "$@")
        touch "$stamp"
    fi
}
