"""A tiny model with the interface of ChatGLM3's: tuples of (length, batch, heads, width) as cache, `quantize`."""

import torch
from transformers.modeling_outputs import CausalLMOutputWithPast

from .configuration_chatglm import ChatGLMConfig
from .glm_layers import GLM, ChatGLMPreTrainedModel, next_inputs, prepared

__all__ = ["ChatGLMConfig", "ChatGLMForConditionalGeneration"]


class ChatGLMForConditionalGeneration(ChatGLMPreTrainedModel):
    def __init__(self, config, empty_init=True, device=None):
        super().__init__(config)
        self.max_sequence_length = config.max_length
        self.transformer = GLM(config)
        self.quantized = False

    def _update_model_kwargs_for_generation(
        self, outputs, model_kwargs, is_encoder_decoder=False, standardize_cache_format=False
    ):
        model_kwargs["past_key_values"] = self._extract_past_from_model_output(
            outputs, standardize_cache_format=standardize_cache_format
        )
        return next_inputs(model_kwargs)

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
        return prepared(input_ids, past_key_values, attention_mask, position_ids, use_cache, first=is_first_forward)

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
        past = None if past_key_values is None else [tuple(map(turned, pair)) for pair in past_key_values]
        hidden, presents = self.transformer(input_ids, position_ids, attention_mask, past)
        scores = self.transformer.output_layer(hidden[:, -1:] if return_last_logit else hidden)
        cache = tuple(tuple(map(turned_back, pair)) for pair in presents)
        return CausalLMOutputWithPast(logits=scores, past_key_values=cache)

    def quantize(self, bits, empty_init=False, device=None, **others):
        """Round each row of the blocks' weights to `bits` bits."""
        if self.quantized:
            return self
        self.quantized = True
        self.config.quantization_bit = bits
        with torch.no_grad():
            for name, weight in self.transformer.layers.named_parameters():
                if name.endswith("weight") and weight.dim() == 2:
                    scale = weight.abs().amax(-1, keepdim=True) / (2 ** (bits - 1) - 1)
                    weight.copy_((weight / scale).round() * scale)
        return self


def turned(cached):
    """Return (length, batch, heads, width) as (batch, heads, length, width)."""
    return cached.permute(1, 2, 0, 3)


def turned_back(cached):
    """Return (batch, heads, length, width) as (length, batch, heads, width)."""
    return cached.permute(2, 0, 1, 3)
