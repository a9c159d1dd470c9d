# Sourced by run_*.sh and tests/run.sh: creates the virtual environment .venv if it is missing, and sets $python.
#
#   make_environment FILE...     install the requirement files; does nothing if they are installed already
#
# PYTHON  the interpreter for the environment (3.10 to 3.12); default: the first one found
# BELOW   the first minor version of Python 3 that is too new; default: 13
# VENV    folder of the environment; default: .venv
# TORCH   the torch to install; choose a CPU build or another CUDA version here, or install it beforehand

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
    echo "no Python from 3.10 to 3.$((BELOW - 1)) found: install one, or set PYTHON=/path/to/python3.11 bash $0" >&2
    return 1
}

make_environment() {
    local found stamp file files=()
    if [ ! -x "$VENV/bin/python" ]; then
        found=$(find_python) || exit 1
        echo "creating the environment $VENV with $("$found" --version)"
        "$found" -m venv "$VENV"
    fi
    python=$VENV/bin/python
    stamp=$VENV/installed-$(cat "$@" | cksum | cut -d' ' -f1)
    if [ ! -f "$stamp" ]; then
        echo "installing $TORCH and $* (a few minutes)"
        "$python" -m pip install --quiet --disable-pip-version-check "$TORCH"
        for file in "$@"; do files+=(-r "$file"); done
        "$python" -m pip install --quiet --disable-pip-version-check "${files[@]}"
        touch "$stamp"
    fi
}
