# Sourced by run_*.sh: runs scripts with $python under headings, and shows how long each takes.
#
#   step "heading in words" SCRIPT FLAGS...
#   run "MORE FLAGS" "heading in words" SCRIPT FLAGS...     the same with more flags, given as one text
#   is_dry_run             succeeds if DRY_RUN is set, and not to 0: `step` then prints the command and runs nothing
#   has_no_gpu             succeeds if neither torch nor llama.cpp finds a GPU
#   quoted WORDS...        writes the words so that a shell reads them as they are
#   duration SECONDS       writes 75 as "1 min 15 s"

step() {
    local heading=$1 started=$SECONDS
    shift
    if is_dry_run; then
        printf '# %s\npython%s\n' "$heading" "$(quoted "$@")"
        return
    fi
    printf '\n== %s\n$ python%s\n' "$heading" "$(quoted "$@")"
    # shellcheck disable=SC2154 # $python is set by the script that sources this file
    "$python" "$@"
    echo "-- took $(duration $((SECONDS - started)))"
}

run() {
    local more=$1 word flags=()
    shift
    if [ -n "${more// /}" ]; then
        more=$(xargs printf '%s\n' <<<"$more") || exit 2 # words as in a shell: quotes hold them together
        while IFS= read -r word; do flags+=("$word"); done <<<"$more"
    fi
    step "$@" "${flags[@]}"
}

is_dry_run() {
    [ "${DRY_RUN:-0}" != 0 ]
}

quoted() {
    local word
    for word in "$@"; do
        case $word in
            '' | *[!A-Za-z0-9_@%+=:,./{}-]*) printf " '%s'" "${word//\'/\'\\\'\'}" ;;
            *) printf ' %s' "$word" ;;
        esac
    done
}

duration() {
    if [ "$1" -lt 60 ]; then echo "$1 s"; else echo "$(($1 / 60)) min $(($1 % 60)) s"; fi
}

has_no_gpu() {
    "$python" - 2>/dev/null <<'PYTHON'
import sys
import torch
if torch.cuda.is_available():
    sys.exit(1)
try:
    import xllamacpp
except ImportError:
    sys.exit(0)
cpu = xllamacpp.ggml_backend_dev_type.GGML_BACKEND_DEVICE_TYPE_CPU
sys.exit(any(device["type"] != cpu for device in xllamacpp.get_device_info()))
PYTHON
}
