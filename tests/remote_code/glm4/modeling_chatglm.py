"""A tiny model with the interface of GLM-4's, as it is written for transformers 4.43 and 4.44."""

from transformers.modeling_outputs import CausalLMOutputWithPast

from .configuration_chatglm import ChatGLMConfig
from .glm_layers import GLM, ChatGLMPreTrainedModel, next_inputs, prepared

__all__ = ["ChatGLMConfig", "ChatGLMForConditionalGeneration"]


class ChatGLMForConditionalGeneration(ChatGLMPreTrainedModel):
    def __init__(self, config, empty_init=True, device=None):
        super().__init__(config)
        self.max_sequence_length = config.max_length
        self.transformer = GLM(config)

    def _update_model_kwargs_for_generation(self, outputs, model_kwargs, is_encoder_decoder=False):
        name, cache = self._extract_past_from_model_output(outputs)  # 4.45 returns the cache alone
        model_kwargs[name] = cache
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
        return_dict=False,
        output_attentions=None,
        output_hidden_states=None,
        return_last_logit=False,
    ):
        hidden, presents = self.transformer(input_ids, position_ids, attention_mask, past_key_values)
        scores = self.transformer.output_layer(hidden[:, -1:] if return_last_logit else hidden)
        return CausalLMOutputWithPast(logits=scores, past_key_values=tuple(presents))
