"""Compare the annotation speed of a plain loop, this project's backends and other programs, in one run.

    python benchmarks/llm.py --data=data/few_shot/weibo --checkpoint=models/qwen --gguf=models/qwen.gguf \\
        --vllm=vllm/bin/python --ctranslate2=newest/bin/python --to=runs

Each one runs in its own process (benchmarks/backends.py), guided where it can be. By default 40 sentences are
annotated with entities and 20 with parts of speech. The script ends with a table of speeds;
`python benchmarks/quality.py DATA runs/*` prints a table of the answers' quality.
"""

import argparse
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def ways(args: argparse.Namespace) -> list[tuple[str, str, str, str, str]]:
    """Return the runs: a name, the Python that runs it, the backend, the model, and "1" if it is guided."""
    here, checkpoint, gguf = sys.executable, str(args.checkpoint), str(args.gguf)
    return [
        ("b-transformers", here, "transformers", checkpoint, "1"),
        ("b-transformers-free", here, "transformers", checkpoint, "0"),
        *([("c-llamacpp", here, "llamacpp", gguf, "1")] if args.gguf else []),
        *([("d-vllm", args.vllm, "vllm", checkpoint, "1")] if args.vllm else []),
        *([("d-vllm-free", args.vllm, "vllm", checkpoint, "0")] if args.vllm else []),
        *([("e-ctranslate2", args.ctranslate2, "ctranslate2", checkpoint, "0")] if args.ctranslate2 else []),
        ("a-plain-bounded", here, "bounded-plain", checkpoint, "0"),
        *([("a-plain", here, "plain", checkpoint, "0")] if args.plain else []),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--gguf", type=Path, help="the same model for llama.cpp")
    parser.add_argument("--vllm", help="the Python of an environment with vLLM")
    parser.add_argument("--ctranslate2", help="the Python of an environment with CTranslate2 and a newer transformers")
    parser.add_argument("--plain", action="store_true", help="also the loop with a very large token limit; takes hours")
    parser.add_argument("--to", type=Path, required=True, help="folder for the answers")
    parser.add_argument("--sentences", nargs=2, default=["40", "20"], help="for entities, and for parts of speech")
    args = parser.parse_args()
    args.to.mkdir(parents=True, exist_ok=True)
    files = []
    for name, python, backend, model, guided in ways(args):
        files.append(str(args.to / f"{name}.jsonl"))
        words = ["run", f"--data={args.data}", f"--model={model}", f"--backend={backend}", f"--guided={guided}"]
        words += [f"--to={files[-1]}", "--sentences", *args.sentences]
        print(f"== {name}", flush=True)
        subprocess.run([python, str(FOLDER / "backends.py"), *words], check=True)
    subprocess.run([sys.executable, str(FOLDER / "backends.py"), "compare", *files], check=True)


if __name__ == "__main__":
    main()
