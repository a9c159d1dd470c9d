"""A small GLM: rotary positions on half of each head, shared key heads, a gated MLP. Both checkpoints use it.

As in the published code, every parameter is made in the number format that the configuration names.
"""

import torch
from torch import nn
from torch.nn import functional
from transformers.modeling_outputs import CausalLMOutputWithPast
from transformers.modeling_utils import PreTrainedModel

from .configuration_chatglm import ChatGLMConfig


class RMSNorm(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(config.hidden_size, dtype=config.torch_dtype))

    def forward(self, hidden):
        scale = torch.rsqrt(hidden.float().pow(2).mean(-1, keepdim=True) + 1e-5)
        return (self.weight * hidden * scale).to(hidden.dtype)


class Block(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.heads, self.groups, self.width = (
            config.num_attention_heads,
            config.multi_query_group_num,
            config.kv_channels,
        )
        rows = (self.heads + 2 * self.groups) * self.width
        kind = {"dtype": config.torch_dtype}
        self.input_layernorm = RMSNorm(config)
        self.query_key_value = nn.Linear(config.hidden_size, rows, **kind)
        self.dense = nn.Linear(self.heads * self.width, config.hidden_size, bias=False, **kind)
        self.post_attention_layernorm = RMSNorm(config)
        self.dense_h_to_4h = nn.Linear(config.hidden_size, 2 * config.ffn_hidden_size, bias=False, **kind)
        self.dense_4h_to_h = nn.Linear(config.ffn_hidden_size, config.hidden_size, bias=False, **kind)

    def forward(self, hidden, blocked, positions, past):
        attended, present = self.attend(self.input_layernorm(hidden), blocked, positions, past)
        hidden = hidden + attended
        gate, up = self.dense_h_to_4h(self.post_attention_layernorm(hidden)).chunk(2, dim=-1)
        return hidden + self.dense_4h_to_h(functional.silu(gate) * up), present

    def attend(self, hidden, blocked, positions, past):
        batch, length, _ = hidden.shape
        parts = self.query_key_value(hidden).view(batch, length, -1, self.width).transpose(1, 2)
        query, key, value = parts.split([self.heads, self.groups, self.groups], dim=1)  # (batch, heads, length, width)
        query, key = rotated(query, positions), rotated(key, positions)
        if past is not None:
            key, value = torch.cat((past[0], key), dim=2), torch.cat((past[1], value), dim=2)
        present = (key, value)
        key, value = (one.repeat_interleave(self.heads // self.groups, dim=1) for one in present)
        scores = (query @ key.transpose(2, 3) / self.width**0.5).masked_fill(blocked, float("-inf"))
        mixed = (scores.float().softmax(-1).to(value.dtype) @ value).transpose(1, 2)
        return self.dense(mixed.reshape(batch, length, -1)), present


class GLM(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.word_embeddings = nn.Embedding(config.padded_vocab_size, config.hidden_size, dtype=config.torch_dtype)
        self.layers = nn.ModuleList([Block(config) for _ in range(config.num_layers)])
        self.final_layernorm = RMSNorm(config)
        self.output_layer = nn.Linear(
            config.hidden_size, config.padded_vocab_size, bias=False, dtype=config.torch_dtype
        )

    def forward(self, input_ids, position_ids, attention_mask, past):
        blocked = blocked_cells(input_ids, attention_mask, 0 if past is None else past[0][0].shape[2])
        hidden, presents = self.word_embeddings(input_ids), []
        for place, layer in enumerate(self.layers):
            hidden, present = layer(hidden, blocked, position_ids, None if past is None else past[place])
            presents.append(present)
        return self.final_layernorm(hidden), presents


class ChatGLMPreTrainedModel(PreTrainedModel):
    config_class = ChatGLMConfig
    base_model_prefix = "transformer"
    _no_split_modules = ["Block"]
    _supports_sdpa = True

    def _init_weights(self, module):
        """Leave parameters as they were made, as the published code does."""


class ChatGLM(ChatGLMPreTrainedModel):
    """What both models have in common; each says how its cache lies, and how it goes from step to step."""

    def __init__(self, config, empty_init=True, device=None):
        super().__init__(config)
        self.max_sequence_length = config.max_length
        self.transformer = GLM(config)

    def prepare_inputs_for_generation(
        self,
        input_ids,
        past_key_values=None,
        attention_mask=None,
        position_ids=None,
        use_cache=None,
        is_first_forward=True,
        **others,
    ):
        """Return what `forward` takes: all of the prompt at first, then the last token alone."""
        if position_ids is None:
            position_ids = torch.arange(input_ids.shape[1], device=input_ids.device).repeat(len(input_ids), 1)
        if not is_first_forward and past_key_values is not None:
            input_ids, position_ids = input_ids[:, -1:], position_ids[:, -1:]
        return {
            "input_ids": input_ids,
            "past_key_values": past_key_values,
            "position_ids": position_ids,
            "attention_mask": attention_mask,
            "return_last_logit": True,
            "use_cache": use_cache,
        }

    def forward(
        self,
        input_ids=None,
        position_ids=None,
        attention_mask=None,
        past_key_values=None,
        use_cache=None,
        return_dict=None,
        output_attentions=None,
        output_hidden_states=None,
        return_last_logit=False,
    ):
        past = None if past_key_values is None else [tuple(map(self.turned, pair)) for pair in past_key_values]
        hidden, presents = self.transformer(input_ids, position_ids, attention_mask, past)
        scores = self.transformer.output_layer(hidden[:, -1:] if return_last_logit else hidden)
        cache = tuple(tuple(map(self.turned_back, pair)) for pair in presents)
        return CausalLMOutputWithPast(logits=scores, past_key_values=cache)


def rotated(heads, positions):
    """Turn the first half of each head (batch, heads, length, width) by its position, pair by pair."""
    half = heads.shape[-1] // 2
    turning, fixed = heads.float().split([half, heads.shape[-1] - half], dim=-1)
    frequency = 1.0 / 10000 ** (torch.arange(0, half, 2, device=heads.device) / half)
    angle = positions[:, None, :, None].float() * frequency
    even, odd = turning[..., 0::2], turning[..., 1::2]
    turned = torch.stack(
        (even * angle.cos() - odd * angle.sin(), odd * angle.cos() + even * angle.sin()), dim=-1
    ).flatten(-2)
    return torch.cat((turned, fixed), dim=-1).to(heads.dtype)


def blocked_cells(input_ids, attention_mask, past_length):
    """Return which keys a query must not see, (batch, 1, length, keys); a padded query sees all, so none has no key."""
    batch, length = input_ids.shape
    seen = torch.ones(batch, length, past_length + length, device=input_ids.device).tril(past_length)
    if attention_mask is not None:
        seen = seen * attention_mask[:, None, :]
        if not past_length:
            seen = seen - (attention_mask[:, :, None] - 1)
    return (seen < 0.5)[:, None]


def next_inputs(model_kwargs):
    """Lengthen mask and positions by one, as the published `_update_model_kwargs_for_generation` does."""
    mask, positions = model_kwargs.get("attention_mask"), model_kwargs.get("position_ids")
    if mask is not None:
        model_kwargs["attention_mask"] = torch.cat((mask, mask.new_ones(len(mask), 1)), dim=-1)
    if positions is not None:
        model_kwargs["position_ids"] = torch.cat((positions, positions[:, -1:] + 1), dim=-1)
    model_kwargs["is_first_forward"] = False
    return model_kwargs
