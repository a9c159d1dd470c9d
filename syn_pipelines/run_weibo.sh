#!/usr/bin/env bash
# Runs the whole pipeline on your own dataset with your own LLM: copy this file, edit the variables, run the copy.
# Finished work is not repeated, so you can stop it and start it again at any time.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

FILE_DIR=./data/few_shot
FILE_NAME=weibo                             # $FILE_DIR/$FILE_NAME/ holds train_1000.jsonl, labels.txt, dev.jsonl, test.jsonl
SAVE_TYPE_NAME=GLM4                         # the results go to $FILE_DIR/$FILE_NAME/$SAVE_TYPE_NAME/
LLM=${LLM:-/models/glm-4-9b-chat/}          # a checkpoint folder, a hub id, or a .gguf file
ENCODER=${ENCODER:-/models/chinese-bert-wwm-ext/}
N_GPU=0                                     # -1: the CPU
PYTHON=${PYTHON:-python}                    # from an environment with requirements.txt installed

if [ ! -f "$FILE_DIR/$FILE_NAME/train_1000.jsonl" ]; then
    echo "$FILE_DIR/$FILE_NAME/train_1000.jsonl is missing: put the dataset $FILE_NAME there (README.md, Your own data)" >&2
    exit 2
fi

data=(--file_dir="$FILE_DIR" --file_name="$FILE_NAME" --save_type_name="$SAVE_TYPE_NAME")
llm=("${data[@]}" --model_from_pretrained="$LLM" --n_gpu="$N_GPU")
train=("${data[@]}" --from_pretrained="$ENCODER" --n_gpu="$N_GPU")

# s1: extra entities and parts of speech in the annotated sentences
"$PYTHON" syn_pipelines/s1_predict_data.py "${llm[@]}" --batch_size=20 --mode=entity
"$PYTHON" syn_pipelines/s1_predict_data.py "${llm[@]}" --batch_size=20 --mode=pos

# s2: synthetic sentences
"$PYTHON" syn_pipelines/s2_continous_generation.py "${llm[@]}" --batch_size=40

# s3: extra entities and parts of speech in the synthetic sentences
"$PYTHON" syn_pipelines/s3_predict_syn_data.py "${llm[@]}" --batch_size=20 --mode=entity
"$PYTHON" syn_pipelines/s3_predict_syn_data.py "${llm[@]}" --batch_size=20 --mode=pos

# s4: 25 %, 50 % and 100 %
"$PYTHON" syn_pipelines/s4_split_data.py "${data[@]}"

# s5: merge the extension labels; --overwrite, because in a second run these results were made by s8
"$PYTHON" syn_pipelines/s5_merge_data.py "${data[@]}" --is_syn=0 --label_prefix='' --overwrite
"$PYTHON" syn_pipelines/s5_merge_data.py "${data[@]}" --is_syn=1 --label_prefix='' --overwrite

# s6: combine the label files
"$PYTHON" syn_pipelines/s6_combine_syn_fusion_label.py "${data[@]}" --overwrite

# between s6 and s7: a span model for each size
for size in 250 500 1000; do
    "$PYTHON" syn_pipelines/train_ner.py "${train[@]}" --size="$size" --data=fusion
done

# s7: target labels in the synthetic sentences, one model for each size
"$PYTHON" syn_pipelines/s7_pred_syn_data.py "${data[@]}" --from_pretrained="$ENCODER" --n_gpu="$N_GPU" --batch_size=4 \
    --model_from_pretrained="save_model/${SAVE_TYPE_NAME}/${FILE_NAME}_{size}_fusion/best"

# s8: merge again with the labels of s7, and add the fusion sentences
"$PYTHON" syn_pipelines/s8_process_label_and_combine.py "${data[@]}" --is_syn=0 --label_prefix=''

# train on base and on syn_fusion, and compare
for size in 250 500 1000; do
    "$PYTHON" syn_pipelines/train_ner.py "${train[@]}" --size="$size" --data=base
    "$PYTHON" syn_pipelines/train_ner.py "${train[@]}" --size="$size" --data=syn_fusion
    "$PYTHON" syn_pipelines/report.py "${data[@]}" --size="$size"
done

# exits with code 1 if anything in a size comes from outside it, or from dev or test
"$PYTHON" syn_pipelines/audit.py "${data[@]}"
