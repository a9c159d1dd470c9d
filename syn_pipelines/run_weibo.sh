#!/usr/bin/env bash
# The whole pipeline on a dataset and with an LLM of your own: copy this file, edit the variables, run the copy.
# What is there already is not done again, so it can be stopped and started at will.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

FILE_DIR=./data/few_shot
FILE_NAME=weibo                             # $FILE_DIR/$FILE_NAME/ holds train_1000.jsonl, labels.txt, dev.jsonl, test.jsonl
SAVE_TYPE_NAME=GLM4                         # the results go to $FILE_DIR/$FILE_NAME/$SAVE_TYPE_NAME/
LLM=${LLM:-/models/glm-4-9b-chat/}          # a checkpoint folder, a hub id, or a .gguf file
ENCODER=${ENCODER:-/models/chinese-bert-wwm-ext/}
N_GPU=0                                     # -1: the CPU
PYTHON=${PYTHON:-python}                    # of an environment with requirements.txt

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

# s5: merge the extension labels; --overwrite, because in a second run s8 has made the results anew
"$PYTHON" syn_pipelines/s5_merge_data.py "${data[@]}" --is_syn=0 --label_prefix='' --overwrite
"$PYTHON" syn_pipelines/s5_merge_data.py "${data[@]}" --is_syn=1 --label_prefix='' --overwrite

# s6: combine the label files
"$PYTHON" syn_pipelines/s6_combine_syn_fusion_label.py "${data[@]}" --overwrite

# between s6 and s7: a span model for each size
for size in 250 500 1000; do
    "$PYTHON" syn_pipelines/train_ner.py "${train[@]}" --size="$size" --data=fusion
done

# s7: target labels in the synthetic sentences, each size by its own model
"$PYTHON" syn_pipelines/s7_pred_syn_data.py "${data[@]}" --from_pretrained="$ENCODER" --n_gpu="$N_GPU" --batch_size=4 \
    --model_from_pretrained="save_model/${FILE_NAME}_{size}_fusion/best"

# s8: merge again with the labels of s7, and add the fusion sentences
"$PYTHON" syn_pipelines/s8_process_label_and_combine.py "${data[@]}" --is_syn=0 --label_prefix=''

# train on the other two kinds of data, and compare
for size in 250 500 1000; do
    "$PYTHON" syn_pipelines/train_ner.py "${train[@]}" --size="$size" --data=base
    "$PYTHON" syn_pipelines/train_ner.py "${train[@]}" --size="$size" --data=syn_fusion
    "$PYTHON" syn_pipelines/report.py "${data[@]}" --size="$size"
done

# nothing of a size is from outside it, and nothing from dev or test: exit code 1 where that is not so
"$PYTHON" syn_pipelines/audit.py "${data[@]}"
