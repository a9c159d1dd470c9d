"""How the tokenizers of GLM pad: on the left alone, with a mask and positions of their own making."""

from transformers.utils import PaddingStrategy


def pad_left(encoded, max_length, strategy, pad_id):
    """Return `encoded` padded to `max_length`, or as it is."""
    ids = encoded["input_ids"]
    encoded.setdefault("attention_mask", [1] * len(ids))
    encoded.setdefault("position_ids", list(range(len(ids))))
    if strategy in (PaddingStrategy.DO_NOT_PAD, PaddingStrategy.LONGEST):
        return encoded
    missing = [0] * (max_length - len(ids))
    encoded["input_ids"] = [pad_id] * len(missing) + ids
    encoded["attention_mask"] = missing + encoded["attention_mask"]
    encoded["position_ids"] = missing + encoded["position_ids"]
    return encoded
