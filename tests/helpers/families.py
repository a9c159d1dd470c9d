"""Tiny random checkpoints of each family of chat models, with its kind of tokenizer, chat template, and stop ids."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.helpers.builders import write_json

REMOTE_CODE = Path(__file__).resolve().parent / "remote_code"
WORDS = [*"abcdefghijklmnopqrstuvwxyz", *"0123456789", *"<|>/_. ", "北", "京", "the", "sentence", "[", "]", "\n"]
TEXTS = ["a", "the sentence", "north of the river ", "abc " * 9, "北京", "x y z" * 4, "b"]

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SYSTEM = "<|im_start|>system\nhelp<|im_end|>\n"
THINKING = "{% if enable_thinking is defined and not enable_thinking %}<think>\n\n</think>\n\n{% endif %}"
LLAMA3 = (
    "{% for message in messages %}{% set said = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'"
    " + message['content'] | trim + '<|eot_id|>' %}{% if loop.first %}{% set said = bos_token + said %}{% endif %}"
    "{{ said }}{% endfor %}{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
)
GEMMA = (
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
    "{% for message in messages %}<start_of_turn>{{ message['role'] }}\n"
    "{{ message['content'] | trim }}<end_of_turn>\n{% endfor %}"
    "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)
MISTRAL = (  # a system message is left out
    "{{ bos_token }}{% for message in messages %}"
    "{% if message['role'] == 'user' %}[INST] {{ message['content'] }} [/INST]"
    "{% elif message['role'] == 'assistant' %}{{ message['content'] }}</s>{% endif %}{% endfor %}"
)
GLM4 = (
    "[gMASK]<sop>{% for item in messages %}<|{{ item['role'] }}|>{{ item['metadata'] }}\n{{ item['content'] }}"
    "{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


@dataclass(frozen=True)
class Family:
    """The properties of a family; token ids are given by the tokens' names."""

    special: tuple[str, ...]
    template: str
    eos: str  # the tokenizer's
    configured: tuple[str, ...]  # stop tokens in generation_config
    stops: frozenset[str]  # all tokens that must end an answer
    model: str = "Llama"  # the class in transformers is <model>ForCausalLM
    bos: str | None = None
    pad: str | None = None
    text: tuple[str, ...] = ()  # added tokens that are not special
    by_bytes: bool = False  # tokens are bytes, as Qwen's; if not, they are `words`
    words: tuple[str, ...] = tuple(WORDS)
    shape: Mapping[str, Any] = field(default_factory=dict)


FAMILIES = {
    "qwen2": Family(
        special=("<|endoftext|>", "<|im_start|>", "<|im_end|>"),
        template=SYSTEM + CHATML,
        eos="<|im_end|>",
        pad="<|endoftext|>",
        configured=("<|im_end|>", "<|endoftext|>"),
        stops=frozenset({"<|im_end|>", "<|endoftext|>"}),
        model="Qwen2",
        by_bytes=True,
    ),
    "qwen3": Family(
        special=("<|endoftext|>", "<|im_start|>", "<|im_end|>"),
        text=("<think>", "</think>"),
        template=CHATML.replace("assistant\n", "assistant\n" + THINKING),
        eos="<|im_end|>",
        pad="<|endoftext|>",
        configured=("<|im_end|>", "<|endoftext|>"),
        stops=frozenset({"<|im_end|>", "<|endoftext|>"}),
        model="Qwen3",
        by_bytes=True,
        shape={"head_dim": 8},
    ),
    "llama3": Family(
        special=("<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
        template=LLAMA3,
        bos="<|begin_of_text|>",
        eos="<|end_of_text|>",
        configured=("<|end_of_text|>",),
        stops=frozenset({"<|end_of_text|>", "<|eot_id|>"}),
        by_bytes=True,
    ),
    "gemma": Family(
        special=("<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>"),
        template=GEMMA,
        bos="<bos>",
        eos="<eos>",
        pad="<pad>",
        configured=("<eos>",),
        stops=frozenset({"<eos>", "<end_of_turn>"}),
        model="Gemma",
        shape={"head_dim": 8, "hidden_act": "gelu", "hidden_activation": "gelu_pytorch_tanh"},
    ),
    "mistral": Family(
        special=("<unk>", "<s>", "</s>", "[INST]", "[/INST]"),
        template=MISTRAL,
        bos="<s>",
        eos="</s>",
        configured=("</s>",),
        stops=frozenset({"</s>"}),
        model="Mistral",
    ),
}
SHAPE = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "initializer_range": 0.5,
    "tie_word_embeddings": False,
}
# Settings in a checkpoint's generation_config that annotation must ignore.
UNWANTED = {"do_sample": True, "temperature": 0.7, "top_k": 5, "repetition_penalty": 1.5}


def make_checkpoint(folder: Path, family: str | Family, *, seed: int = 0) -> Path:
    """Write the checkpoint of a family that is part of transformers."""
    import transformers

    family = FAMILIES[family] if isinstance(family, str) else family
    ids = make_tokenizer(folder, family)
    config = getattr(transformers, f"{family.model}Config")(
        vocab_size=len(ids),
        eos_token_id=ids[family.configured[0]],
        bos_token_id=ids.get(family.bos or ""),
        pad_token_id=ids.get(family.pad or ""),
        **{**SHAPE, **family.shape},
    )
    stops = [ids[token] for token in family.configured]
    return _save_model(folder, getattr(transformers, f"{family.model}ForCausalLM"), config, stops, seed)


def make_tokenizer(folder: Path, family: Family) -> dict[str, int]:
    """Write a fast tokenizer and return the ids of its tokens."""
    from tokenizers import AddedToken, processors
    from transformers import PreTrainedTokenizerFast

    made = _byte_tokenizer(family) if family.by_bytes else _word_tokenizer(family)
    made.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in family.special])
    made.add_tokens([AddedToken(token, special=False, normalized=False) for token in family.text])
    ids: dict[str, int] = made.get_vocab()
    if family.bos:  # as in Llama 3, the tokenizer itself adds a BOS
        made.post_processor = processors.TemplateProcessing(
            single=f"{family.bos} $A", special_tokens=[(family.bos, ids[family.bos])]
        )
    named = {"bos_token": family.bos, "eos_token": family.eos, "pad_token": family.pad}
    named |= {} if family.by_bytes else {"unk_token": "<unk>"}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=made, **{key: name for key, name in named.items() if name})
    tokenizer.chat_template = family.template
    tokenizer.save_pretrained(folder)
    return ids


def _byte_tokenizer(family: Family) -> Any:
    """Return a tokenizer with one token for each byte, without merges."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    made = Tokenizer(models.BPE({byte: id_ for id_, byte in enumerate(alphabet)}, []))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    return made


def _word_tokenizer(family: Family) -> Any:
    """Return a tokenizer of single characters and a few words; control tokens have the first ids."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    tokens = list(dict.fromkeys([*family.special, "<unk>", *family.text, *family.words]))
    made = Tokenizer(models.WordLevel({token: id_ for id_, token in enumerate(tokens)}, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    made.decoder = decoders.Fuse()
    return made


def _save_model(folder: Path, kind: Any, config: Any, stops: Sequence[int], seed: int) -> Path:
    """Write a random model of class `kind` with unwanted generation settings."""
    import torch
    from transformers import GenerationConfig

    torch.manual_seed(seed)
    model = kind(config)
    model.generation_config = GenerationConfig(eos_token_id=list(stops), **UNWANTED)
    model.save_pretrained(folder)
    return folder


# --- checkpoints with their own code


def make_chatglm3(folder: Path) -> Path:
    """Write a checkpoint with the interface of ChatGLM3; its config has one of the three stop ids."""
    size = _copy_code(folder, "chatglm3", _write_sentencepiece)
    commands = 9
    write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "ChatGLMTokenizer",
            "auto_map": {"AutoTokenizer": ["tokenization_chatglm.ChatGLMTokenizer", None]},
        },
    )
    _save_glm(folder, size + commands, {"eos_token_id": 2, "pad_token_id": 0, "torch_dtype": "float16"})
    return folder


def make_glm4(folder: Path) -> Path:
    """Write a checkpoint with the interface of GLM-4; its config has all three stop ids."""
    size = _copy_code(folder, "glm4", _write_ranks)
    special = ["<|endoftext|>", "[MASK]", "[gMASK]", "[sMASK]", "<sop>", "<eop>"]
    special += [f"<|{role}|>" for role in ("system", "user", "assistant", "observation")]
    ids = {token: size + index for index, token in enumerate(special)}
    flags = {"lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True}
    write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "ChatGLM4Tokenizer",
            "auto_map": {"AutoTokenizer": ["tokenization_chatglm.ChatGLM4Tokenizer", None]},
            "added_tokens_decoder": {str(id_): {"content": token, **flags} for token, id_ in ids.items()},
            "additional_special_tokens": special,
            "eos_token": "<|endoftext|>",
            "pad_token": "<|endoftext|>",
            "padding_side": "left",
            "chat_template": GLM4,
        },
    )
    stops = [ids[token] for token in ("<|endoftext|>", "<|user|>", "<|observation|>")]
    _save_glm(folder, size + len(special), {"eos_token_id": stops, "pad_token_id": stops[0], "torch_dtype": "bfloat16"})
    write_json(folder / "generation_config.json", {"eos_token_id": stops, "pad_token_id": stops[0], **UNWANTED})
    return folder


def _copy_code(folder: Path, family: str, write_vocabulary: Any) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    for file in [*REMOTE_CODE.glob("*.py"), *(REMOTE_CODE / family).glob("*.py")]:
        shutil.copy(file, folder)
    size: int = write_vocabulary(folder / "tokenizer.model")
    return size


def _write_sentencepiece(path: Path) -> int:
    import sentencepiece

    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([*TEXTS, *WORDS, "<|user|> \n 北京大学 the river runs north"] * 3),
        model_prefix=str(path.with_suffix("")),
        vocab_size=330,
        model_type="bpe",
        byte_fallback=True,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    path.with_suffix(".vocab").unlink()
    size: int = sentencepiece.SentencePieceProcessor(model_file=str(path)).get_piece_size()
    return size


def _write_ranks(path: Path) -> int:
    tokens = [bytes([byte]) for byte in range(256)] + [b"the", b"th", "北".encode()[:2], "北".encode()]
    lines = [f"{base64.b64encode(token).decode()} {rank}" for rank, token in enumerate(tokens)]
    path.write_text("\n".join(lines) + "\n", encoding="ascii")
    return len(tokens)


def _save_glm(folder: Path, vocabulary: int, settings: Mapping[str, Any]) -> None:
    """Write the configuration, and random weights for which different prompts get different answers."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    names = {"AutoConfig": "configuration_chatglm.ChatGLMConfig"}
    for auto in ("AutoModel", "AutoModelForCausalLM"):
        names[auto] = "modeling_chatglm.ChatGLMForConditionalGeneration"
    config = {"model_type": "chatglm", "padded_vocab_size": vocabulary, "auto_map": names, **settings}
    write_json(folder / "config.json", config)
    loaded = AutoConfig.from_pretrained(folder, trust_remote_code=True)
    loaded.torch_dtype = torch.float32
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(loaded, trust_remote_code=True)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "layernorm" not in name:
                weight.normal_(std=0.5 if weight.dim() == 2 else 0.1)
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
