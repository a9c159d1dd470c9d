# Sourced by run_*.sh after $python is set: runs scripts under headings, and shows how long each takes.
#
#   step "heading in words" SCRIPT FLAGS...
#   has_no_gpu             succeeds if neither torch nor llama.cpp finds a GPU
#   quoted WORDS...        writes the words so that a shell reads them as they are
#   duration SECONDS       writes 75 as "1 min 15 s"

step() {
    local heading=$1 started=$SECONDS
    shift
    printf '\n== %s\n$ python%s\n' "$heading" "$(quoted "$@")"
    "$python" "$@"
    echo "-- took $(duration $((SECONDS - started)))"
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
    "$python" - 2>/dev/null <<'EOF'
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
EOF
}
