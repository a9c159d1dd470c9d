"""A tiny random chat checkpoint with byte-level tokens and ChatML roles, which transformers and vLLM load alike."""

from __future__ import annotations

from pathlib import Path

SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def write_tiny_checkpoint(folder: Path, *, seed: int = 0) -> Path:
    """Write the checkpoint; its own generation settings are those that annotation must not take over."""
    import torch
    import transformers

    vocabulary = _write_tokenizer(folder)
    torch.manual_seed(seed)
    config = transformers.Qwen2Config(
        vocab_size=vocabulary,
        hidden_size=128,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,  # heads of 32, the smallest that vLLM knows
        num_key_value_heads=2,
        max_position_embeddings=1024,
        initializer_range=0.3,
        bos_token_id=vocabulary - 3,
        eos_token_id=vocabulary - 3,
        tie_word_embeddings=False,
    )
    model = transformers.Qwen2ForCausalLM(config)
    model.generation_config = transformers.GenerationConfig(
        do_sample=True, temperature=0.7, top_k=5, repetition_penalty=1.5, eos_token_id=[vocabulary - 1]
    )
    model.save_pretrained(folder)
    return folder


def _write_tokenizer(folder: Path) -> int:
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    made = Tokenizer(models.BPE({letter: number for number, letter in enumerate(letters)}, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIAL])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=made, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(folder)
    return len(letters) + len(SPECIAL)
