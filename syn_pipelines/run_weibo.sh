#!/usr/bin/env bash
# Runs the whole pipeline on your own dataset with your own LLM: copy this file, edit the variables, run the copy.
# Each variable can also be set in the environment:
#
#   LLM=/models/qwen2.5-7b-instruct-q4_k_m.gguf SAVE_TYPE_NAME=Qwen2.5 bash syn_pipelines/run_weibo.sh
#
# Finished work is not repeated, so you can stop it and start it again at any time.
set -eo pipefail # without -u: bash before 4.4 rejects empty lists of flags
cd "$(dirname "${BASH_SOURCE[0]}")/.."

FILE_DIR=${FILE_DIR:-./data/few_shot}
FILE_NAME=${FILE_NAME:-weibo}          # $FILE_DIR/$FILE_NAME/ holds train_1000.jsonl, labels.txt, dev.jsonl, test.jsonl
SAVE_TYPE_NAME=${SAVE_TYPE_NAME:-GLM4} # the results go to $FILE_DIR/$FILE_NAME/$SAVE_TYPE_NAME/
LLM=${LLM:-/models/glm-4-9b-chat/}     # a checkpoint folder, a hub id, or a .gguf file
ENCODER=${ENCODER:-/models/chinese-bert-wwm-ext/}
N_GPU=${N_GPU:-0}                      # -1: the CPU
python=${PYTHON:-python}               # from an environment with requirements.txt installed

# More flags for the steps, such as S1_FLAGS=(--votes=5 --shots=3); `--help` of each script lists them.
# From the environment, several are separated by spaces: S2_FLAGS="--num_samples=3 --rare_first".
LLM_FLAGS=(${LLM_FLAGS:-}) # for s1, s2 and s3, such as --api_base=http://localhost:8000/v1
S1_FLAGS=(${S1_FLAGS:---batch_size=20})
S2_FLAGS=(${S2_FLAGS:---batch_size=40})
S3_FLAGS=(${S3_FLAGS:---batch_size=20})
S4_FLAGS=(${S4_FLAGS:-})
S5_FLAGS=(${S5_FLAGS:---label_prefix=})
S6_FLAGS=(${S6_FLAGS:-})
S7_FLAGS=(${S7_FLAGS:---batch_size=4})
S8_FLAGS=(${S8_FLAGS:---label_prefix=}) # as in S5_FLAGS
TRAIN_FLAGS=(${TRAIN_FLAGS:-})          # such as --seeds=1,2,3

if [ ! -f "$FILE_DIR/$FILE_NAME/train_1000.jsonl" ]; then
    echo "$FILE_DIR/$FILE_NAME/train_1000.jsonl is missing: put the dataset $FILE_NAME there (docs/data.md)" >&2
    exit 2
fi
source syn_pipelines/steps.sh

if [ "$N_GPU" != -1 ] && has_no_gpu; then
    N_GPU=-1
    echo "this machine has no GPU: all steps run on the CPU"
fi
data=(--file_dir="$FILE_DIR" --file_name="$FILE_NAME" --save_type_name="$SAVE_TYPE_NAME")
llm=("${data[@]}" --model_from_pretrained="$LLM" --n_gpu="$N_GPU" "${LLM_FLAGS[@]}")

train() { # SIZE DATA
    step "train a span model on $2, size $1" syn_pipelines/train_ner.py "${data[@]}" --from_pretrained="$ENCODER" \
        --n_gpu="$N_GPU" --size="$1" --data="$2" "${TRAIN_FLAGS[@]}"
}

for mode in entity pos; do
    step "step 1 of 8: annotate the sentences with the LLM, mode $mode" syn_pipelines/s1_predict_data.py \
        "${llm[@]}" --mode=$mode "${S1_FLAGS[@]}"
done
step "step 2 of 8: write synthetic sentences with the LLM" syn_pipelines/s2_continous_generation.py \
    "${llm[@]}" "${S2_FLAGS[@]}"
for mode in entity pos; do
    step "step 3 of 8: annotate the synthetic sentences, mode $mode" syn_pipelines/s3_predict_syn_data.py \
        "${llm[@]}" --mode=$mode "${S3_FLAGS[@]}"
done
step "step 4 of 8: split into 25 %, 50 % and 100 %" syn_pipelines/s4_split_data.py \
    "${data[@]}" "${S4_FLAGS[@]}"
for is_syn in 0 1; do # --overwrite, because in a second run these results were made by s8
    step "step 5 of 8: merge the annotations into the sentences, --is_syn=$is_syn" syn_pipelines/s5_merge_data.py \
        "${data[@]}" --is_syn=$is_syn --overwrite "${S5_FLAGS[@]}"
done
step "step 6 of 8: combine the label files" syn_pipelines/s6_combine_syn_fusion_label.py \
    "${data[@]}" --overwrite "${S6_FLAGS[@]}"

for size in 250 500 1000; do # s7 needs a model for each size
    train $size fusion
done
step "step 7 of 8: predict the target labels in the synthetic sentences" syn_pipelines/s7_pred_syn_data.py \
    "${data[@]}" --from_pretrained="$ENCODER" --n_gpu="$N_GPU" \
    --model_from_pretrained="save_model/${SAVE_TYPE_NAME}/${FILE_NAME}_{size}_fusion/best" "${S7_FLAGS[@]}"
step "step 8 of 8: merge again, with the labels of step 7" syn_pipelines/s8_process_label_and_combine.py \
    "${data[@]}" --is_syn=0 "${S8_FLAGS[@]}"

for size in 250 500 1000; do # the result, and base to compare it with
    train $size base
    train $size syn_fusion
done

for size in 250 500 1000; do
    step "the results of size $size" syn_pipelines/report.py "${data[@]}" --size=$size
done
# exits with code 1 if anything in a size comes from outside it, or from dev or test
step "check: nothing in a size comes from outside it" syn_pipelines/audit.py "${data[@]}"
echo
echo "The whole run took $(duration $SECONDS)."
