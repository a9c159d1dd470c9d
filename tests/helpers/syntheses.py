"""How tests ask for new sentences, and take them."""

from __future__ import annotations

from utils.asking.sampling import SamplingSettings
from utils.dataset.tokens import CHARACTERS, WORDS
from utils.prompts import load_prompt
from utils.synthesis.cleaning import Cleaner
from utils.synthesis.generator import Generator
from utils.synthesis.quota import Quota
from utils.synthesis.rounds import Synthesis
from utils.synthesis.writing_style import WritingStyle


def generator(language="en", *, max_new_tokens=256, **sampled):
    sampling = SamplingSettings(**{"temperature": 0.8, **sampled})
    tokenisation = CHARACTERS if language == "zh" else WORDS
    return Generator(load_prompt("explain", language), tokenisation, sampling, max_new_tokens)


def synthesis_of(sentences, *, tokenisation=WORDS, held_out=(), quota=None, require_mention=False):
    language = "zh" if tokenisation.is_dense else "en"
    writing = WritingStyle.of([one.tokens for one in sentences], tokenisation=tokenisation)
    cleaner = Cleaner(language, writing, labels=("PER", "LOC"))
    return Synthesis(
        sentences,
        generator(language),
        cleaner,
        held_out=held_out,
        quota=quota or Quota(),
        require_mention=require_mention,
    )
