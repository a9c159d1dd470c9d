"""The forms in which reasoning models and servers give their thoughts. ANSWER is replaced by an answer."""

from __future__ import annotations

from typing import Any

THOUGHT = "Hmm, the ship Wanderlust is not named."  # a sentence that no answer may contain
DRAFT = '[{"entity": "Wanderlust", "type": "ship"}]'  # nor this draft

# Name -> the text of an answer with thoughts.
TEXTS = {
    "think": f"<think>\n{THOUGHT}\n</think>\n\nANSWER",
    "think, with a draft of the answer": f"<think>{THOUGHT} {DRAFT} No.</think>ANSWER",
    "think, begun in the prompt": f"{THOUGHT}\n</think>\n\nANSWER",
    "think, begun in the prompt, with a draft first": f"{DRAFT} {THOUGHT}</think>ANSWER",
    "think, nested": f"<think>a <think>{THOUGHT}</think> b {DRAFT}</think>ANSWER",
    "think, opened twice": f"<think><think>{THOUGHT}</think>ANSWER",
    "think, after the answer": f"ANSWER\n<think>{THOUGHT}</think>",
    "think, after the answer, never closed": f"ANSWER\n<think>{THOUGHT}",
    "think, in capitals and with an attribute": f'<THINK time="3">{THOUGHT}</THINK>ANSWER',
    "think, escaped": f"&lt;think&gt;{THOUGHT}&lt;/think&gt;ANSWER",
    "thinking": f"<thinking>{THOUGHT}</thinking>\nANSWER",
    "thought (EXAONE)": f"<thought>\n{THOUGHT}\n</thought>\n\nANSWER",
    "thought and output (Marco-o1)": f"<Thought>\n{THOUGHT}\n</Thought>\n<Output>\nANSWER\n</Output>",
    "reasoning (Reka)": f"<reasoning>{THOUGHT}</reasoning>ANSWER",
    "reflection": f"<thinking>{THOUGHT}<reflection>{DRAFT}</reflection></thinking><output>ANSWER</output>",
    "analysis": f"<analysis>{THOUGHT}</analysis>ANSWER",
    "a Chinese tag": f"<思考>{THOUGHT}</思考>ANSWER",
    "seed:think (Seed-OSS)": f"<seed:think>{THOUGHT}</seed:think>ANSWER",
    "mm:think (MiniMax)": f"<mm:think>{THOUGHT}</mm:think>ANSWER",
    "longcat_think": f"<longcat_think>{THOUGHT}</longcat_think>ANSWER",
    "THINK (Magistral)": f"[THINK]{THOUGHT}[/THINK]ANSWER",
    "◁think▷ (Kimi-VL)": f"◁think▷{THOUGHT}◁/think▷ANSWER",
    "channels (gpt-oss)": (
        f"<|channel|>analysis<|message|>{THOUGHT}<|end|><|start|>assistant<|channel|>final<|message|>ANSWER<|return|>"
    ),
    "three channels (gpt-oss)": (
        f"<|channel|>analysis<|message|>{THOUGHT}<|end|><|start|>assistant<|channel|>commentary<|message|>{DRAFT}<|end|>"
        "<|start|>assistant<|channel|>final<|message|>ANSWER"
    ),
    "channels, begun in the prompt": f"{THOUGHT}<|end|><|start|>assistant<|channel|>final<|message|>ANSWER",
    "channels without control tokens": f"analysis{THOUGHT}assistantfinalANSWER",
    "channel (Gemma 4)": f"<|channel>thought\n{THOUGHT}\n<channel|>ANSWER",
    "an empty channel without control tokens (Gemma 4)": "thought\nANSWER",
    "unused94 (MedGemma)": f"<unused94>thought\n{THOUGHT}<unused95>ANSWER",
    "unused16 (Pangu)": f"[unused16]{THOUGHT}[unused17]ANSWER",
    "think and answer (Hunyuan)": f"<think>\n{THOUGHT}\n</think>\n<answer>\nANSWER\n</answer>",
    "think and response (Granite 3.3, ERNIE)": f"<think>{THOUGHT}</think><response>ANSWER</response>",
    "think and box (GLM-4.1V)": f"<think>{THOUGHT}</think><|begin_of_box|>ANSWER<|end_of_box|>",
    "my thought process (Granite 3.2)": f"Here is my thought process: {THOUGHT}\n\nHere is my response: ANSWER",
    "inner_prefix (Apertus)": f"<|inner_prefix|>{THOUGHT}<|inner_suffix|>ANSWER",
    "START_THINKING (Command A)": (
        f"<|START_THINKING|>{THOUGHT}<|END_THINKING|><|START_RESPONSE|>ANSWER<|END_RESPONSE|>"
    ),
    "begin_of_thought (Sky-T1)": (
        f"<|begin_of_thought|>{THOUGHT}<|end_of_thought|>\n\n<|begin_of_solution|>\nANSWER\n<|end_of_solution|>"
    ),
    "begin_think (PLaMo)": f"<|plamo:begin_think:plamo|>{THOUGHT}<|plamo:end_think:plamo|>ANSWER",
    "open think (Kimi K3)": (
        f"<|open|>think<|sep|>{THOUGHT}<|close|>think<|sep|><|open|>response<|sep|>ANSWER<|close|>response<|sep|>"
    ),
    "|think| (Solar Open)": f"<|think|>{THOUGHT}<|end|><|begin|>assistant<|content|>ANSWER<|end|>",
    "Ollama's terminal": f"Thinking...\n{THOUGHT}\n...done thinking.\n\nANSWER",
    "Open WebUI": f'<details type="reasoning" done="true">\n<summary>Thought</summary>\n{THOUGHT}\n</details>\nANSWER',
    "a block of Markdown": f"```thinking\n{THOUGHT}\n```\nANSWER",
}

# Name -> the text of an answer that is all thought.
CUT_TEXTS = {
    "think": f"<think>\n{THOUGHT} {DRAFT}",
    "THINK": f"[THINK]{THOUGHT}",
    "seed:think": f"<seed:think>{THOUGHT}",
    "a channel": f"<|channel|>analysis<|message|>{THOUGHT}",
    "a channel without control tokens": f"analysis{THOUGHT}",
    "a channel (Gemma 4)": f"<|channel>thought\n{THOUGHT}",
    "my thought process": f"Here's my thought process: {THOUGHT}",
    "closed, without an answer": f"<think>{THOUGHT}</think>\n\n",
}

# Name -> the message of a server's reply.
MESSAGES: dict[str, dict[str, Any]] = {
    "reasoning_content": {"content": "ANSWER", "reasoning_content": THOUGHT},
    "reasoning": {"content": "ANSWER", "reasoning": THOUGHT},
    "reasoning and its details": {
        "content": "ANSWER",
        "reasoning": THOUGHT,
        "reasoning_details": [{"type": "reasoning.text", "text": THOUGHT}],
    },
    "encrypted details": {"content": "ANSWER", "reasoning_details": [{"type": "reasoning.encrypted", "data": "eHh4"}]},
    "thinking": {"content": "ANSWER", "thinking": THOUGHT},
    "parts of type thinking (Mistral)": {
        "content": [
            {"type": "thinking", "thinking": [{"type": "text", "text": THOUGHT}]},
            {"type": "text", "text": "ANSWER"},
        ]
    },
    "parts of type reasoning": {
        "content": [{"type": "reasoning", "text": THOUGHT}, {"type": "text", "text": "ANSWER"}]
    },
    "parts with a flag (Gemini)": {"content": [{"text": THOUGHT, "thought": True}, {"text": "ANSWER"}]},
    "a field, and tags in the text": {"content": f"<think>{THOUGHT}</think>ANSWER", "reasoning_content": THOUGHT},
}


def with_answer(value: Any, answer: str) -> Any:
    """Return a text, or a message, with an answer in place of ANSWER."""
    if isinstance(value, str):
        return value.replace("ANSWER", answer)
    if isinstance(value, list):
        return [with_answer(part, answer) for part in value]
    return {key: with_answer(part, answer) for key, part in value.items()} if isinstance(value, dict) else value
