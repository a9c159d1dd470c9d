#!/usr/bin/env bash
# Runs the whole pipeline on the bundled dataset `demo`, with a real LLM and a real encoder:
#
#   bash syn_pipelines/run_demo.sh
#   LLM=/models/qwen2.5-7b-instruct-q4_k_m.gguf bash syn_pipelines/run_demo.sh      with a better LLM
#   DATASET=demo_zh LLM=… ENCODER=/models/chinese-bert-wwm-ext bash syn_pipelines/run_demo.sh      in Chinese
#   N_GPU=1 bash syn_pipelines/run_demo.sh      on the second GPU; -1: the CPU; default: the first GPU if there is one
#   DRY_RUN=1 bash syn_pipelines/run_demo.sh      prints the commands and runs nothing
#
# Creates the environment .venv, downloads two small models into models/, runs s1 ... s8 with training between s6 and s7,
# and ends with a table of test F1 and an audit. Finished work is not repeated.
set -eo pipefail # without -u: bash before 4.4 rejects empty lists of flags
cd "$(dirname "${BASH_SOURCE[0]}")/.."

FILE_DIR=${FILE_DIR:-./data/few_shot}
FILE_NAME=${DATASET:-demo} # or demo_zh
ENCODER=${ENCODER:-models/all-MiniLM-L6-v2}
if [ -n "${LLM:-}" ]; then
    SAVE_TYPE_NAME=${SAVE_TYPE_NAME:-$(basename "${LLM%.gguf}")}
else
    LLM=models/SmolLM2-135M-Instruct.Q4_1.gguf
    SAVE_TYPE_NAME=SmolLM2
fi
N_GPU=${N_GPU:-0}
COMPARED_SIZES=${COMPARED_SIZES:-1000}

# More flags for the steps, as in run_weibo.sh.
LLM_FLAGS=${LLM_FLAGS:-}
S1_FLAGS=${S1_FLAGS:-}
S2_FLAGS=${S2_FLAGS:---max_new_tokens=40}
S3_FLAGS=${S3_FLAGS:-}
S4_FLAGS=${S4_FLAGS:-}
S5_FLAGS=${S5_FLAGS:-}
S6_FLAGS=${S6_FLAGS:-}
S7_FLAGS=${S7_FLAGS:-}
S8_FLAGS=${S8_FLAGS:-}
TRAIN_FLAGS=${TRAIN_FLAGS:-}

# --- nothing to edit below
# shellcheck source=syn_pipelines/environment.sh
source syn_pipelines/environment.sh
# shellcheck source=syn_pipelines/steps.sh
source syn_pipelines/steps.sh

if is_dry_run; then python=$VENV/bin/python; else make_environment requirements.txt; fi
step "prepare: download the two small models of the demo" syn_pipelines/fetch_demo_models.py

NOTE=
if [ "$SAVE_TYPE_NAME" = SmolLM2 ]; then
    NOTE="This shows that the pipeline works, not how much it helps: most annotations of an LLM with 135 M parameters are wrong."
fi
case $FILE_NAME in demo | demo_zh)
    NOTE="${NOTE:+$NOTE
}The test set is tiny: a single span changes F1 by one or two points."
    ;;
esac
# shellcheck source=syn_pipelines/pipeline.sh
source syn_pipelines/pipeline.sh
