# Sourced by run_*.sh after their variables are set and $python is: runs s1 ... s8 with the trainings, shows the scores,
# and ends with an audit. Finished work is not repeated.
#
# DRY_RUN=1 prints the commands, as a shell script, and runs nothing.

# shellcheck source=syn_pipelines/steps.sh
source syn_pipelines/steps.sh

if ! is_dry_run; then
    if [ ! -f "$FILE_DIR/$FILE_NAME/train_1000.jsonl" ]; then
        echo "$FILE_DIR/$FILE_NAME/train_1000.jsonl is missing: put the dataset $FILE_NAME there (docs/data.md)" >&2
        exit 2
    fi
    if [ "$N_GPU" != -1 ] && has_no_gpu; then
        N_GPU=-1
        echo "this machine has no GPU: all steps run on the CPU"
    fi
fi
data=(--file_dir="$FILE_DIR" --file_name="$FILE_NAME" --save_type_name="$SAVE_TYPE_NAME")
llm=("${data[@]}" --model_from_pretrained="$LLM" --n_gpu="$N_GPU")

train() { # SIZE DATA
    run "$TRAIN_FLAGS" "train a span model on $2, size $1" syn_pipelines/train_ner.py "${data[@]}" \
        --from_pretrained="$ENCODER" --n_gpu="$N_GPU" --size="$1" --data="$2"
}

for mode in entity pos; do
    run "$LLM_FLAGS $S1_FLAGS" "step 1 of 8: annotate the sentences with the LLM, mode $mode" \
        syn_pipelines/s1_predict_data.py "${llm[@]}" --mode=$mode
done
run "$LLM_FLAGS $S2_FLAGS" "step 2 of 8: write synthetic sentences with the LLM" \
    syn_pipelines/s2_continous_generation.py "${llm[@]}"
for mode in entity pos; do
    run "$LLM_FLAGS $S3_FLAGS" "step 3 of 8: annotate the synthetic sentences, mode $mode" \
        syn_pipelines/s3_predict_syn_data.py "${llm[@]}" --mode=$mode
done
run "$S4_FLAGS" "step 4 of 8: split into 25 %, 50 % and 100 %" syn_pipelines/s4_split_data.py "${data[@]}"
for is_syn in 0 1; do # --overwrite, because in a second run these results were made by s8
    run "$S5_FLAGS" "step 5 of 8: merge the annotations into the sentences, --is_syn=$is_syn" \
        syn_pipelines/s5_merge_data.py "${data[@]}" --is_syn=$is_syn --overwrite
done
run "$S6_FLAGS" "step 6 of 8: combine the label files" syn_pipelines/s6_combine_syn_fusion_label.py "${data[@]}" --overwrite

for size in 250 500 1000; do # s7 needs a model for each size
    train $size fusion
done
run "$S7_FLAGS" "step 7 of 8: predict the target labels in the synthetic sentences" syn_pipelines/s7_pred_syn_data.py \
    "${data[@]}" --from_pretrained="$ENCODER" --n_gpu="$N_GPU" \
    --model_from_pretrained="save_model/${SAVE_TYPE_NAME}/${FILE_NAME}_{size}_fusion/best"
run "$S8_FLAGS" "step 8 of 8: merge again, with the labels of step 7" syn_pipelines/s8_process_label_and_combine.py \
    "${data[@]}" --is_syn=0

for size in $COMPARED_SIZES; do # the result, and base to compare it with
    train "$size" base
    train "$size" syn_fusion
done
for size in $COMPARED_SIZES; do
    step "the results of size $size" syn_pipelines/report.py "${data[@]}" --size="$size"
done
if [ -n "${NOTE:-}" ] && ! is_dry_run; then echo "$NOTE"; fi
# exits with code 1 if anything in a size comes from outside it, or from dev or test
step "check: nothing in a size comes from outside it" syn_pipelines/audit.py "${data[@]}"
if ! is_dry_run; then
    echo
    echo "The whole run took $(duration $SECONDS)."
fi
