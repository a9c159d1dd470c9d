"""Merging extension labels into sentences (s5, s6 and s8).

Start with `FusionStep` in step.py, which merges blocks of sentences (blocks.py) in one or several processes;
`merge_sentence` in merge.py does the work for one sentence. gold_agreement.py compares extension spans with gold spans.
"""
