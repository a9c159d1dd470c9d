"""The configuration of the tiny GLM checkpoints that the tests make: the published names, small numbers."""

from transformers import PretrainedConfig


class ChatGLMConfig(PretrainedConfig):
    model_type = "chatglm"

    def __init__(
        self,
        padded_vocab_size=64,
        num_layers=2,
        hidden_size=32,
        ffn_hidden_size=48,
        kv_channels=8,
        num_attention_heads=4,
        multi_query_group_num=2,
        seq_length=1024,
        quantization_bit=0,
        **others,
    ):
        self.padded_vocab_size = self.vocab_size = padded_vocab_size
        self.num_layers = num_layers
        self.hidden_size = hidden_size
        self.ffn_hidden_size = ffn_hidden_size
        self.kv_channels = kv_channels
        self.num_attention_heads = num_attention_heads
        self.multi_query_group_num = multi_query_group_num
        self.seq_length = seq_length
        self.quantization_bit = quantization_bit
        super().__init__(**others)
