"""Pair the sentences of a file with the sentences that belong into it.

A file that is as it must be has the same sentences in the same order: both are read side by side, and nothing is kept
in memory. From the first difference on, all are read, to name each difference.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from itertools import chain, islice, zip_longest
from pathlib import Path

from utils.audit.data import AuditData, Problem, SizeData
from utils.dataset.records import RAW, Sentence

SentencePair = tuple[Sentence, Sentence]  # (in the checked file, expected)
Found = SentencePair | Problem
Differences = tuple[list[SentencePair], list[Problem]]
Reading = Callable[[], Iterator[Sentence]]
_NOWHERE: tuple[int, ...] = ()  # before every position


def match_by_text(file: Path, data: AuditData, size_data: SizeData, dropped: Collection[str] = ()) -> Iterator[Found]:
    """Yield the sentences of a file paired with the sentences of the size that have the same text, and problems.

    Those with the ids `dropped` may be missing.
    """
    own = (one for one in size_data.sentences() if one.id not in dropped)
    for paired, (found, known) in enumerate(zip_longest(data.read(file), own)):
        if found is None or known is None or found.tokens != known.tokens:
            pairs, problems = _differences_by_text(file, data, size_data, dropped)
            yield from chain(pairs[paired:], problems)
            return
        yield found, known


def match_by_id(
    file: Path,
    found: Reading,
    size_data: SizeData,
    *,
    expected: Reading | None = None,
    dropped: Collection[str] = (),
) -> Iterator[Found]:
    """Yield the synthetic sentences of a file paired with those of the size by id, and problems.

    The sentences of the same id in `expected`, another file of the size, replace those of the size in the pairs. Those
    with the ids `dropped` may be missing.
    """
    own = (one for one in size_data.synthetic() if one.id not in dropped)
    last = _NOWHERE
    triples = zip_longest(found(), own, expected() if expected else ())
    for paired, (one, known, other) in enumerate(triples):
        position = _position(one) if one is not None else None
        is_same = one is not None and known is not None and one.id == known.id
        is_same &= not expected or (other is not None and known is not None and other.id == known.id)
        if not is_same or position is None or position <= last:  # an id that is not ascending may be repeated
            pairs, problems = _differences_by_id(file, found, size_data, dropped)
            others = {one.id: one for one in expected()} if expected else {}
            yield from ((one, others.get(one.id, known)) for one, known in islice(pairs, paired, None))
            yield from problems
            return
        yield one, other or known
        last = position


def _has_own_source(sentence: Sentence) -> bool:
    """Return whether the id of a synthetic sentence begins with its source."""
    return sentence.id.split("-")[0] == (RAW if sentence.is_raw else str(sentence.source))


def _position(sentence: Sentence) -> tuple[int, ...] | None:
    """Return the position of a synthetic sentence in the order of s2: by source, then raw text; None for a wrong id."""
    numbers = sentence.id.removeprefix(f"{RAW}-").split("-")
    if not _has_own_source(sentence) or not all(map(str.isdecimal, numbers)):
        return None
    return sentence.is_raw, *map(int, numbers)


def _differences_by_text(file: Path, data: AuditData, size_data: SizeData, dropped: Collection[str]) -> Differences:
    expected: dict[tuple[str, ...], list[Sentence]] = defaultdict(list)
    for sentence in size_data.sentences():
        expected[sentence.tokens].append(sentence)
    elsewhere: dict[tuple[str, ...], str] = {}
    for sentence in data.sentences():
        elsewhere.setdefault(sentence.tokens, sentence.id)
    pairs, problems = [], []
    for sentence in data.read(file):
        if expected[sentence.tokens]:
            pairs.append((sentence, expected[sentence.tokens].pop(0)))
        elif sentence.tokens in elsewhere:
            known = f"sentence {elsewhere[sentence.tokens]} of train_1000.jsonl"
            problems.append(
                Problem(
                    file,
                    f"line {sentence.id} is {known}, which is not in size {size_data.size}, or is already in this file",
                )
            )
        else:
            problems.append(Problem(file, f"line {sentence.id} is not in train_1000.jsonl"))
    missing = [sentence.id for left in expected.values() for sentence in left if sentence.id not in dropped]
    problems += [Problem(file, f"sentence {id_} of train_1000.jsonl is missing") for id_ in missing]
    if [int(known.id) for _, known in pairs] != sorted(int(known.id) for _, known in pairs):
        problems.append(Problem(file, "the sentences are not in the order of train_1000.jsonl"))
    return pairs, problems


def _differences_by_id(file: Path, found: Reading, size_data: SizeData, dropped: Collection[str]) -> Differences:
    pairs: dict[str, SentencePair] = {}
    problems = []
    expected = {one.id: one for one in size_data.synthetic()}
    for sentence in found():
        if not _has_own_source(sentence):
            source = RAW if sentence.is_raw else sentence.source
            problems.append(Problem(file, f"sentence {sentence.id} has the source {source}, which differs from its id"))
        elif sentence.id not in expected:
            problems.append(
                Problem(file, f"sentence {sentence.id} is not a synthetic sentence of size {size_data.size}")
            )
        elif sentence.id in pairs:
            problems.append(Problem(file, f"sentence {sentence.id} is in the file twice"))
        else:
            pairs[sentence.id] = sentence, expected[sentence.id]
    missing = [id_ for id_ in expected if id_ not in pairs and id_ not in dropped]
    problems += [Problem(file, f"sentence {id_} of s2 is missing") for id_ in missing]
    return list(pairs.values()), problems
