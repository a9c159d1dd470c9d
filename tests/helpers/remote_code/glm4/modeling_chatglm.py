"""A tiny model with the interface of GLM-4's, as it is written for transformers 4.43 and 4.44."""

from .configuration_chatglm import ChatGLMConfig
from .glm_layers import ChatGLM, next_inputs

__all__ = ["ChatGLMConfig", "ChatGLMForConditionalGeneration"]


class ChatGLMForConditionalGeneration(ChatGLM):
    def _update_model_kwargs_for_generation(self, outputs, model_kwargs, is_encoder_decoder=False):
        name, cache = self._extract_past_from_model_output(outputs)  # 4.45 returns the cache alone
        model_kwargs[name] = cache
        return next_inputs(model_kwargs)

    @staticmethod
    def turned(cached):
        """Return the cache as it is, (batch, heads, length, width)."""
        return cached

    turned_back = turned
