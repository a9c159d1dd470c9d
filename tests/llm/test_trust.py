"""Which parts of a checkpoint may run: its own code, if that is allowed, and no code from pickles."""

from __future__ import annotations

import os
import pickle

import pytest

from tests.helpers.builders import CHINESE, ROOT, STEPS, run_python, write_json
from tests.helpers.families import make_chatglm3, make_checkpoint, make_glm4
from utils.llm import LLMOptions, load_llm
from utils.llm.hf.trust import runs_own_code, tensors_only

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

OLD = tuple(map(int, transformers.__version__.split(".")[:2])) < (4, 34)
WITH_OWN_CODE = tuple(map(int, transformers.__version__.split(".")[:2])) < (4, 45)


class Trap:
    """Creates a folder when it is unpickled."""

    def __init__(self, sprung):
        self.sprung = str(sprung)

    def __reduce__(self):
        return os.mkdir, (self.sprung,)


@pytest.fixture
def checkpoint(tmp_path):
    """A checkpoint that this version of transformers can run."""
    return make_chatglm3(tmp_path / "model") if OLD else make_checkpoint(tmp_path / "model", "llama3")


def test_a_pickle_with_more_than_tensors_is_refused_in_one_line(checkpoint, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")  # the environment cannot turn the check off
    sprung = tmp_path / "sprung"
    weights = {"weight": torch.zeros(2), "trap": Trap(sprung)}
    for file in checkpoint.glob("*.safetensors"):
        file.unlink()
    torch.save(weights, checkpoint / "pytorch_model.bin")
    with pytest.raises(
        ValueError, match="its pickled weights contain other objects than tensors, so they were not loaded"
    ) as raised:
        load_llm(str(checkpoint), "transformers", LLMOptions(dtype="float32"))
    assert "\n" not in str(raised.value)
    assert not sprung.exists()


def test_the_trap_works(tmp_path):
    pickle.loads(pickle.dumps(Trap(tmp_path / "sprung")))
    assert (tmp_path / "sprung").is_dir()


def test_pickled_tensors_are_loaded(checkpoint):
    for file in checkpoint.glob("*.safetensors"):
        from safetensors.torch import load_file

        torch.save(load_file(file), checkpoint / "pytorch_model.bin")
        file.unlink()
    assert load_llm(str(checkpoint), "transformers", LLMOptions(dtype="float32"))


def test_the_environment_is_as_it_was_after_weights_are_loaded(monkeypatch):
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    monkeypatch.delenv("TORCH_FORCE_WEIGHTS_ONLY_LOAD", raising=False)
    before = dict(os.environ)
    with tensors_only():
        assert os.environ["TORCH_FORCE_WEIGHTS_ONLY_LOAD"] == "1"
        assert "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD" not in os.environ
    assert dict(os.environ) == before


def test_a_folders_code_runs_with_one_warning_that_names_its_files(tmp_path, caplog):
    write_json(tmp_path / "config.json", {"auto_map": {"AutoModel": "modeling_x.X", "AutoConfig": "configuration_x.X"}})
    write_json(tmp_path / "tokenizer_config.json", {"auto_map": {"AutoTokenizer": ["tokenization_x.X", None]}})
    assert runs_own_code(str(tmp_path), allowed=False) is True
    assert len(caplog.records) == 1
    for file in ("modeling_x.py", "configuration_x.py", "tokenization_x.py"):
        assert str(tmp_path / file) in caplog.text


def test_a_folder_without_code_gives_no_warning(tmp_path, caplog):
    write_json(tmp_path / "config.json", {"model_type": "llama"})
    assert runs_own_code(str(tmp_path), allowed=False) is True
    assert caplog.records == []


@pytest.mark.parametrize("allowed", [False, True])
def test_code_of_a_hub_runs_only_if_it_is_allowed(tmp_path, allowed):
    assert runs_own_code("an/id", allowed=allowed) is allowed
    write_json(tmp_path / "config.json", {"auto_map": {"AutoModel": "an/id--modeling_x.X"}})
    assert runs_own_code(str(tmp_path), allowed=allowed) is allowed


@pytest.mark.skipif(not WITH_OWN_CODE, reason="the tiny checkpoints with own code are for transformers below 4.45")
class TestOwnCode:
    @pytest.fixture
    def own(self, tmp_path):
        made = (make_chatglm3 if OLD else make_glm4)(tmp_path / "made")
        # transformers 4.30 caches imported code by the name of its folder, so each test has another name.
        return made.rename(tmp_path / f"own_{tmp_path.name}")

    def test_code_that_a_folder_fetches_from_a_hub_is_not_run(self, own):
        config = own / "config.json"
        config.write_text(config.read_text("utf-8").replace('"modeling_', '"an/id--modeling_'), encoding="utf-8")
        with pytest.raises(ValueError, match=r"needs its own Python code: .* --trust_remote_code=1"):
            load_llm(str(own), "transformers", LLMOptions(dtype="float32"))

    def test_code_for_another_transformers_is_reported_with_its_environment(self, own):
        path = own / "modeling_chatglm.py"
        wrong = "from transformers import generation\n\ngeneration.nothing_of_this_name\n"
        path.write_text(wrong + path.read_text("utf-8"), encoding="utf-8")
        with pytest.raises(ValueError, match=r"does not run under transformers .*requirements-glm3\.txt"):
            load_llm(str(own), "transformers", LLMOptions(dtype="float32"))

    def test_a_step_runs_it_and_logs_no_prompt(self, own, tmp_path):
        CHINESE.write(tmp_path)
        script = f"syn_pipelines/{STEPS['s1']}.py"
        done = run_python(
            *(script, f"--file_dir={tmp_path}", "--file_name=tiny", f"--model_from_pretrained={own}"),
            *("--max_new_tokens=4", "--n_gpu=-1"),
            cwd=ROOT,
        )
        assert done.returncode == 0, done.stderr
        assert "running the checkpoint's own code" in done.stderr
        assert "modeling_chatglm.py" in done.stderr
        for row in CHINESE.rows:
            assert "".join(row["text"]) not in done.stderr + done.stdout


def test_chat_templates_need_a_newer_transformers_than_chatglm3(tmp_path):
    if not OLD:
        pytest.skip("this version of transformers has chat templates")
    make_checkpoint(tmp_path, "llama3")
    with pytest.raises(ValueError, match="has no chat templates and runs only ChatGLM3; use the env"):
        load_llm(str(tmp_path), "transformers", LLMOptions(dtype="float32"))
