"""What the tokenizers of GLM have in common: their prefix, and padding on the left with positions beside it."""

from transformers import PreTrainedTokenizer
from transformers.utils import PaddingStrategy


class GLMTokenizer(PreTrainedTokenizer):
    vocab_files_names = {"vocab_file": "tokenizer.model"}
    model_input_names = ["input_ids", "attention_mask", "position_ids"]

    def get_vocab(self):
        return {self._convert_id_to_token(id_): id_ for id_ in range(self.vocab_size)} | self.added_tokens_encoder

    def build_inputs_with_special_tokens(self, token_ids_0, token_ids_1=None):
        return self.get_prefix_tokens() + token_ids_0

    def _pad(
        self,
        encoded_inputs,
        max_length=None,
        padding_strategy=None,
        pad_to_multiple_of=None,
        return_attention_mask=None,
    ):
        assert self.padding_side == "left"
        ids = encoded_inputs["input_ids"]
        encoded_inputs.setdefault("attention_mask", [1] * len(ids))
        encoded_inputs.setdefault("position_ids", list(range(len(ids))))
        if padding_strategy == PaddingStrategy.MAX_LENGTH:
            missing = [0] * (max_length - len(ids))
            encoded_inputs["input_ids"] = [self.pad_token_id] * len(missing) + ids
            for name in ("attention_mask", "position_ids"):
                encoded_inputs[name] = missing + encoded_inputs[name]
        return encoded_inputs
