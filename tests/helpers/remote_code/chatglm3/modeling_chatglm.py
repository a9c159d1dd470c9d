"""A tiny model with the interface of ChatGLM3's: tuples of (length, batch, heads, width) as cache, `quantize`."""

import torch

from .configuration_chatglm import ChatGLMConfig
from .glm_layers import ChatGLM, next_inputs

__all__ = ["ChatGLMConfig", "ChatGLMForConditionalGeneration"]


class ChatGLMForConditionalGeneration(ChatGLM):
    quantized = False

    def _update_model_kwargs_for_generation(
        self, outputs, model_kwargs, is_encoder_decoder=False, standardize_cache_format=False
    ):
        model_kwargs["past_key_values"] = self._extract_past_from_model_output(
            outputs, standardize_cache_format=standardize_cache_format
        )
        return next_inputs(model_kwargs)

    @staticmethod
    def turned(cached):
        """Return (length, batch, heads, width) as (batch, heads, length, width)."""
        return cached.permute(1, 2, 0, 3)

    @staticmethod
    def turned_back(cached):
        """Return (batch, heads, length, width) as (length, batch, heads, width)."""
        return cached.permute(2, 0, 1, 3)

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
