"""A tiny tokenizer with the interface of ChatGLM3's: SentencePiece, and commands that plain encoding never yields."""

from sentencepiece import SentencePieceProcessor

from .glm_tokens import GLMTokenizer

COMMANDS = ("[MASK]", "[gMASK]", "[sMASK]", "sop", "eop", "<|system|>", "<|user|>", "<|assistant|>", "<|observation|>")


class ChatGLMTokenizer(GLMTokenizer):
    def __init__(self, vocab_file, padding_side="left", clean_up_tokenization_spaces=False, **others):
        self.vocab_file = vocab_file
        self.pieces = SentencePieceProcessor(model_file=vocab_file)
        size = self.pieces.get_piece_size()
        self.commands = {token: size + place for place, token in enumerate(COMMANDS)}
        self.spellings = {id_: token for token, id_ in self.commands.items()}
        self.ends = {
            "<bos>": self.pieces.bos_id(),
            "<eos>": self.pieces.eos_id(),
            "<pad>": self.pieces.unk_id(),
        }
        super().__init__(padding_side=padding_side, clean_up_tokenization_spaces=clean_up_tokenization_spaces, **others)

    def get_command(self, token):
        if token in self.ends:
            return self.ends[token]
        assert token in self.commands, f"{token} is not a special token"
        return self.commands[token]

    # As published, these cannot be set.
    unk_token = property(lambda self: "<unk>")
    pad_token = property(lambda self: "<unk>")
    pad_token_id = property(lambda self: self.get_command("<pad>"))
    eos_token = property(lambda self: "</s>")
    eos_token_id = property(lambda self: self.get_command("<eos>"))
    vocab_size = property(lambda self: self.pieces.get_piece_size() + len(COMMANDS))

    def _tokenize(self, text, **others):
        return self.pieces.encode_as_pieces(text)

    def _convert_token_to_id(self, token):
        return self.commands.get(token, self.pieces.piece_to_id(token))

    def _convert_id_to_token(self, index):
        if index in self.spellings:
            return self.spellings[index]
        return "" if index in self.ends.values() or index < 0 else self.pieces.id_to_piece(index)

    def convert_tokens_to_string(self, tokens):
        return self.pieces.decode_pieces(tokens)

    def get_prefix_tokens(self):
        return [self.get_command("[gMASK]"), self.get_command("sop")]

    def build_single_message(self, role, metadata, message):
        return [self.get_command(f"<|{role}|>"), *self.pieces.encode(f"{metadata}\n"), *self.pieces.encode(message)]

    def build_chat_input(self, query, history=None, role="user"):
        said = [
            self.build_single_message(one["role"], one.get("metadata", ""), one["content"]) for one in history or []
        ]
        said.append(self.build_single_message(role, "", query))
        ids = [*(id_ for message in said for id_ in message), self.get_command("<|assistant|>")]
        return self.batch_encode_plus([ids], return_tensors="pt", is_split_into_words=True)
