#!/usr/bin/env bash
# Runs the whole pipeline on the bundled dataset `demo`, with a real LLM and a real encoder:
#
#   bash syn_pipelines/run_demo.sh
#   LLM=/models/qwen2.5-7b-instruct-q4_k_m.gguf bash syn_pipelines/run_demo.sh      with a better LLM
#   DATASET=demo_zh LLM=… ENCODER=/models/chinese-bert-wwm-ext bash syn_pipelines/run_demo.sh      in Chinese
#
# Creates the environment .venv, downloads two small models into models/, runs s1 ... s8 with training between s6 and s7,
# and ends with a table of test F1 and an audit. Finished work is not repeated.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source syn_pipelines/environment.sh

DATASET=${DATASET:-demo} # or demo_zh
ENCODER=${ENCODER:-models/all-MiniLM-L6-v2}
if [ -n "${LLM:-}" ]; then
    SAVE_TYPE_NAME=${SAVE_TYPE_NAME:-$(basename "${LLM%.gguf}")}
else
    LLM=models/SmolLM2-135M-Instruct.Q4_1.gguf
    SAVE_TYPE_NAME=SmolLM2
fi

step() {
    echo
    echo "== $*"
    "$python" "$@"
}

make_environment requirements.txt
step syn_pipelines/fetch_demo_models.py

data=(--file_name="$DATASET" --save_type_name="$SAVE_TYPE_NAME")
llm=("${data[@]}" --model_from_pretrained="$LLM")

train() { # SIZE DATA
    step syn_pipelines/train_ner.py "${data[@]}" --from_pretrained="$ENCODER" --size="$1" --data="$2"
}

step syn_pipelines/s1_predict_data.py "${llm[@]}" --mode=entity
step syn_pipelines/s1_predict_data.py "${llm[@]}" --mode=pos
step syn_pipelines/s2_continous_generation.py "${llm[@]}" --max_new_tokens=40
step syn_pipelines/s3_predict_syn_data.py "${llm[@]}" --mode=entity
step syn_pipelines/s3_predict_syn_data.py "${llm[@]}" --mode=pos
step syn_pipelines/s4_split_data.py "${data[@]}"
# --overwrite: in a second run, these results were made by s8
step syn_pipelines/s5_merge_data.py "${data[@]}" --is_syn=0 --overwrite
step syn_pipelines/s5_merge_data.py "${data[@]}" --is_syn=1 --overwrite
step syn_pipelines/s6_combine_syn_fusion_label.py "${data[@]}" --overwrite
for size in 250 500 1000; do
    train $size fusion
done
step syn_pipelines/s7_pred_syn_data.py "${data[@]}" --from_pretrained="$ENCODER" \
    --model_from_pretrained="save_model/$SAVE_TYPE_NAME/${DATASET}_{size}_fusion/best"
step syn_pipelines/s8_process_label_and_combine.py "${data[@]}"
train 1000 base
train 1000 syn_fusion

step syn_pipelines/report.py "${data[@]}"
# exits with code 1 if anything in a size comes from outside it
step syn_pipelines/audit.py "${data[@]}"
