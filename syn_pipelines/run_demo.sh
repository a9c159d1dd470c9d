#!/usr/bin/env bash
# Runs the whole pipeline on the bundled dataset `demo`, with a real LLM and a real encoder:
#
#   bash syn_pipelines/run_demo.sh
#   LLM=/models/qwen2.5-7b-instruct-q4_k_m.gguf bash syn_pipelines/run_demo.sh      with a better LLM
#   DATASET=demo_zh LLM=… ENCODER=/models/chinese-bert-wwm-ext bash syn_pipelines/run_demo.sh      in Chinese
#   N_GPU=1 bash syn_pipelines/run_demo.sh      on the second GPU; -1: the CPU; default: the first GPU if there is one
#
# Creates the environment .venv, downloads two small models into models/, runs s1 ... s8 with training between s6 and s7,
# and ends with a table of test F1 and an audit. Finished work is not repeated.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source syn_pipelines/environment.sh
source syn_pipelines/steps.sh

DATASET=${DATASET:-demo} # or demo_zh
ENCODER=${ENCODER:-models/all-MiniLM-L6-v2}
if [ -n "${LLM:-}" ]; then
    SAVE_TYPE_NAME=${SAVE_TYPE_NAME:-$(basename "${LLM%.gguf}")}
else
    LLM=models/SmolLM2-135M-Instruct.Q4_1.gguf
    SAVE_TYPE_NAME=SmolLM2
fi

make_environment requirements.txt
step "prepare: download the two small models of the demo" syn_pipelines/fetch_demo_models.py

if [ -z "${N_GPU:-}" ] && has_no_gpu; then
    N_GPU=-1
    echo
    echo "this machine has no GPU: all steps run on the CPU"
fi

data=(--file_name="$DATASET" --save_type_name="$SAVE_TYPE_NAME")
gpu=(--n_gpu="${N_GPU:-0}")
llm=("${data[@]}" "${gpu[@]}" --model_from_pretrained="$LLM")

train() { # HEADING SIZE DATA
    step "$1" syn_pipelines/train_ner.py "${data[@]}" "${gpu[@]}" --from_pretrained="$ENCODER" --size="$2" --data="$3"
}

step "step 1 of 8: annotate the sentences with the LLM: extra entities" syn_pipelines/s1_predict_data.py "${llm[@]}" \
    --mode=entity
step "step 1 of 8: annotate the sentences with the LLM: parts of speech" syn_pipelines/s1_predict_data.py "${llm[@]}" \
    --mode=pos
step "step 2 of 8: write synthetic sentences with the LLM" syn_pipelines/s2_continous_generation.py "${llm[@]}" \
    --max_new_tokens=40
step "step 3 of 8: annotate the synthetic sentences: extra entities" syn_pipelines/s3_predict_syn_data.py "${llm[@]}" \
    --mode=entity
step "step 3 of 8: annotate the synthetic sentences: parts of speech" syn_pipelines/s3_predict_syn_data.py "${llm[@]}" \
    --mode=pos
step "step 4 of 8: split into 25 %, 50 % and 100 %" syn_pipelines/s4_split_data.py "${data[@]}"
# --overwrite: in a second run, these results were made by s8
step "step 5 of 8: merge the annotations into the sentences" syn_pipelines/s5_merge_data.py "${data[@]}" --is_syn=0 \
    --overwrite
step "step 5 of 8: merge the annotations into the synthetic sentences" syn_pipelines/s5_merge_data.py "${data[@]}" \
    --is_syn=1 --overwrite
step "step 6 of 8: combine the label files" syn_pipelines/s6_combine_syn_fusion_label.py "${data[@]}" --overwrite
for size in 250 500 1000; do
    train "between steps 6 and 7: train a span model on fusion, size $size" $size fusion
done
step "step 7 of 8: predict the target labels in the synthetic sentences" syn_pipelines/s7_pred_syn_data.py \
    "${data[@]}" "${gpu[@]}" --from_pretrained="$ENCODER" \
    --model_from_pretrained="save_model/$SAVE_TYPE_NAME/${DATASET}_{size}_fusion/best"
step "step 8 of 8: merge again, with the labels of step 7" syn_pipelines/s8_process_label_and_combine.py "${data[@]}"
train "to compare: train a span model on base, size 1000" 1000 base
train "the result: train a span model on syn_fusion, size 1000" 1000 syn_fusion

step "the results" syn_pipelines/report.py "${data[@]}"
if [ "$SAVE_TYPE_NAME" = SmolLM2 ]; then
    echo "This shows that the pipeline works, not how much it helps: most annotations of an LLM with 135 M parameters are wrong."
fi
case $DATASET in demo | demo_zh) echo "The test set is tiny: a single span changes F1 by one or two points." ;; esac
# exits with code 1 if anything in a size comes from outside it
step "check: nothing in a size comes from outside it" syn_pipelines/audit.py "${data[@]}"
echo
echo "The whole run took $(duration $SECONDS)."
