#!/usr/bin/env bash
# Runs the whole pipeline on your own dataset with your own LLM: copy this file, edit the variables, run the copy.
# Each variable can also be set in the environment:
#
#   LLM=/models/qwen2.5-7b-instruct-q4_k_m.gguf SAVE_TYPE_NAME=Qwen2.5 bash syn_pipelines/run_weibo.sh
#   DRY_RUN=1 bash syn_pipelines/run_weibo.sh      prints the commands and runs nothing
#
# Finished work is not repeated, so you can stop it and start it again at any time. run_movie.sh is for English.
set -eo pipefail # without -u: bash before 4.4 rejects empty lists of flags
cd "$(dirname "${BASH_SOURCE[0]}")/.."

FILE_DIR=${FILE_DIR:-./data/few_shot}
FILE_NAME=${FILE_NAME:-weibo}          # $FILE_DIR/$FILE_NAME/ holds train_1000.jsonl, labels.txt, dev.jsonl, test.jsonl
SAVE_TYPE_NAME=${SAVE_TYPE_NAME:-GLM4} # the results go to $FILE_DIR/$FILE_NAME/$SAVE_TYPE_NAME/
LLM=${LLM:-/models/glm-4-9b-chat/}     # a checkpoint folder, a hub id, or a .gguf file
ENCODER=${ENCODER:-/models/chinese-bert-wwm-ext/}
N_GPU=${N_GPU:-0}                      # -1: the CPU
python=${PYTHON:-python}               # from an environment with requirements.txt installed
COMPARED_SIZES=${COMPARED_SIZES:-250 500 1000} # sizes in which base and syn_fusion are trained and compared

# More flags for the steps, separated by spaces, such as "--votes=5 --shots=3"; `--help` of each script lists them.
LLM_FLAGS=${LLM_FLAGS:-} # for s1, s2 and s3, such as --api_base=http://localhost:8000/v1
S1_FLAGS=${S1_FLAGS:---batch_size=20}
S2_FLAGS=${S2_FLAGS:---batch_size=40}
S3_FLAGS=${S3_FLAGS:---batch_size=20}
S4_FLAGS=${S4_FLAGS:-}
S5_FLAGS=${S5_FLAGS:---label_prefix=}
S6_FLAGS=${S6_FLAGS:-}
S7_FLAGS=${S7_FLAGS:---batch_size=4}
S8_FLAGS=${S8_FLAGS:---label_prefix=} # as in S5_FLAGS
TRAIN_FLAGS=${TRAIN_FLAGS:-}          # such as --seeds=1,2,3

# --- nothing to edit below
# shellcheck source=syn_pipelines/pipeline.sh
source syn_pipelines/pipeline.sh
