"""A tiny tokenizer with the interface of GLM-4's: slow, tiktoken's ranks of bytes, added special tokens."""

import base64
from pathlib import Path

import tiktoken

from .glm_tokens import GLMTokenizer


class ChatGLM4Tokenizer(GLMTokenizer):
    def __init__(self, vocab_file, padding_side="left", clean_up_tokenization_spaces=False, **others):
        self.vocab_file = vocab_file
        lines = Path(vocab_file).read_text(encoding="ascii").splitlines()
        self.ranks = {base64.b64decode(token): int(rank) for token, rank in (line.split() for line in lines)}
        self.byte_tokens = {rank: token for token, rank in self.ranks.items()}
        self.tokenizer = tiktoken.Encoding(
            name="tiny",
            pat_str=r"\p{L}+|\p{N}{1,3}|\s+|[^\s\p{L}\p{N}]+",
            mergeable_ranks=self.ranks,
            special_tokens={},
        )
        super().__init__(padding_side=padding_side, clean_up_tokenization_spaces=clean_up_tokenization_spaces, **others)

    vocab_size = property(lambda self: len(self.ranks))

    def _tokenize(self, text, **others):
        return [self.byte_tokens[id_] for id_ in self.tokenizer.encode(text)]

    def _convert_token_to_id(self, token):
        return self.ranks[token]

    def _convert_id_to_token(self, index):
        return self.byte_tokens.get(index, "")

    def convert_tokens_to_string(self, tokens):
        raw = b"".join(token if isinstance(token, bytes) else token.encode() for token in tokens)
        return raw.decode("utf-8", errors="replace")

    def get_prefix_tokens(self):
        return [self.convert_tokens_to_ids("[gMASK]"), self.convert_tokens_to_ids("<sop>")]
