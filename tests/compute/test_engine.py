"""One process and a Ray cluster write the same files, and a worker that dies loses no result."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.helpers.builders import (
    SCRIPTS,
    STEPS,
    bytes_below,
    call,
    clean_environment,
    read_lines,
    row_of,
    run_python,
    write_rows,
)
from tests.helpers.families import FAMILIES, make_checkpoint
from tests.helpers.span_models import make_encoder, words_of
from tests.helpers.span_models import make_model as make_span_model
from utils.asking.journal import Journal
from utils.compute.engine import LOCAL, Engine
from utils.compute.ray_cluster import _cores_each, _rows_at_once, _share_out, _summary, start_ray

RAY = Engine("ray", workers=2)
SENTENCES = 200


@pytest.fixture(scope="module")
def cluster():
    """The Ray cluster that the engine starts on this machine."""
    pytest.importorskip("ray")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_ADDRESS", "local")  # or another cluster on this machine would be used
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        before = signal.getsignal(signal.SIGTERM)
        ray = start_ray()
        assert signal.getsignal(signal.SIGTERM) is before  # or a step that is terminated would print nothing
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers cannot import a test's module
    yield ray
    ray.shutdown()


def double():
    """Return work that yields doubled numbers, the last first, with the id of the process."""
    return lambda rows: ((place, (2 * rows[place], os.getpid())) for place in reversed(range(len(rows))))


def slow_double():
    def work(rows):
        for place, result in double()(rows):
            time.sleep(0.05)
            yield place, result

    return work


def count():
    """Return work that yields, for each row, the number of rows given together."""
    return lambda rows: ((place, len(rows)) for place in range(len(rows)))


def failing():
    raise ValueError("model.gguf:1: not what it says it is")


def forgetful():
    """Return work that yields results for half of its rows."""
    return lambda rows: ((place, row) for place, row in enumerate(rows) if place % 2)


def doomed():
    os.kill(os.getpid(), signal.SIGKILL)


# --- without Ray


def test_one_process_needs_no_pool():
    assert dict(LOCAL.run(lambda: enumerate, ["a", "b"], batch_size=1)) == {0: "a", 1: "b"}


def test_a_missing_ray_is_reported_with_the_command_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ImportError, match=r"pip install 'ray\[data\]"):
        next(RAY.run(double, [1], batch_size=1))


@pytest.mark.parametrize(
    ("rows", "workers", "batch", "at_once"),
    [(200, 2, 20, 20), (7, 2, 20, 20), (1000, 2, 20, 80), (480, 2, 20, 60), (100_000, 8, 40, 160), (10_000, 8, 4, 16)],
)
def test_a_worker_gets_whole_batches_but_leaves_some_to_the_others(rows, workers, batch, at_once):
    assert _rows_at_once(rows, workers, batch) == at_once


@pytest.mark.parametrize(
    ("machines", "workers", "cores"),
    [([16], 4, 4), ([16], 3, 5), ([2], 2, 1), ([8, 4], 3, 4), ([8, 4], 1, 8), ([2], 4, 0.5), ([2, 1], 5, 0.5)],
)
def test_workers_on_cpus_share_the_cores_of_their_machine(machines, workers, cores):
    assert _cores_each(machines, workers) == cores
    assert sum(there // cores for there in machines) >= workers


def nodes_with(*gpus):
    nodes = [{"Alive": True, "Resources": {"CPU": 8.0, **({"GPU": number} if number else {})}} for number in gpus]
    return SimpleNamespace(nodes=lambda: [*nodes, {"Alive": False, "Resources": {"GPU": 99.0}}])


@pytest.mark.parametrize(
    ("gpus", "asked", "each", "shared"),
    [
        ((8.0, 8.0), (None, 1), 1, 16),
        ((8.0, 8.0), (None, 4), 4, 4),
        ((8.0, 3.0), (None, 2), 2, 5),
        ((8.0,), (3, 1), 1, 3),
        ((0, 0), (None, 1), 0, 2),
        ((8.0,), (None, 0), 0, 1),
    ],
)
def test_the_clusters_gpus_are_shared_among_workers(gpus, asked, each, shared):
    workers, wanted = asked
    assert _share_out(nodes_with(*gpus), workers, wanted) == (each, shared)


def test_more_gpus_per_worker_than_a_machine_has_are_refused():
    with pytest.raises(ValueError, match="lists 4 GPUs for each worker"):
        _share_out(nodes_with(2.0, 2.0), None, 4)


def test_several_gpus_per_worker_are_refused_in_a_cluster_without_gpus():
    with pytest.raises(ValueError, match="Ray's cluster has no GPU, and a worker needs 2"):
        _share_out(nodes_with(0, 0), None, 2)


def test_more_workers_than_gpus_cause_a_warning(caplog):
    assert _share_out(nodes_with(2.0), 5, 1) == (1, 5)
    assert "2 of 5 workers" in caplog.text


@pytest.mark.parametrize(
    ("message", "gist"),
    [
        ("The actor died.\n\tpid: 7\n", "The actor died."),
        (
            "The actor died\nTraceback:\n  File x\nModuleNotFoundError: No module named 'tqdm'",
            "No module named 'tqdm'",
        ),
        ("", "no reason is given"),
    ],
)
def test_one_line_of_rays_long_messages_is_shown(message, gist):
    assert _summary(Exception(message)).startswith(gist)


def test_a_worker_numbers_its_gpus_from_0_and_this_process_keeps_their_numbers():
    assert RAY.seen((2, 3)) == (0, 1)
    assert LOCAL.seen((2, 3)) == (2, 3)


# --- with Ray


def test_a_worker_gets_whole_batches(cluster):
    at_once = _rows_at_once(203, workers=2, batch_size=4)
    assert at_once == 16
    assert dict(RAY.run(count, range(203), batch_size=4)) == dict(enumerate([16] * 192 + [11] * 11))


def test_a_killed_worker_loses_and_repeats_no_result(cluster):
    found, killed = [], None
    for place, (number, pid) in RAY.run(slow_double, range(60), batch_size=10):
        found.append((place, number))
        if len(found) == 15:
            killed = pid
            os.kill(pid, signal.SIGKILL)
    assert killed not in (None, os.getpid())
    assert sorted(found) == [(n, 2 * n) for n in range(60)]


def test_errors_of_the_work_are_raised_as_in_one_process(cluster):
    for engine in (LOCAL, RAY):
        with pytest.raises(ValueError, match=r"^model.gguf:1: not what it says it is$"):
            list(engine.run(failing, [1, 2], batch_size=1))


@pytest.mark.slow
def test_workers_that_always_die_end_the_run_with_one_line(cluster):
    with pytest.raises(RuntimeError, match=r"Ray failed: .* run the same command again"):
        list(RAY.run(doomed, [1, 2], batch_size=1))


@pytest.mark.slow
def test_rows_without_a_result_are_repeated_and_then_end_the_run(cluster):
    with pytest.raises(RuntimeError, match="no result for 1 of 4 rows"):
        list(RAY.run(forgetful, [1, 2, 3, 4], batch_size=4))


# --- the steps, over Ray


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A dataset of 200 sentences of several lengths, and a recording of the answers to them."""
    folder = tmp_path_factory.mktemp("data")
    texts = [f"Tom {number} left {'very ' * (number % 7)}old Lerwick .".split() for number in range(1, SENTENCES + 1)]
    write_rows(folder / "many" / "train_1000.jsonl", [row_of(text, ("Lerwick", "PLACE")) for text in texts])
    (folder / "many" / "labels.txt").write_text("O\nPLACE\n", encoding="utf-8")
    answers = [(str(number), f'[{{"entity": "Tom {number}", "type": "person"}}]') for number in range(1, SENTENCES + 1)]
    write_rows(folder / "answers.jsonl", [{"id": id_, "task": "entity", "answer": text} for id_, text in answers])
    return folder


def run_s1(data, name, **flags):
    """Run step 1 into a folder of its own; return the bytes of its result and manifest, and its journal's lines."""
    call("s1", file_dir=data, file_name="many", save_type_name=name, n_gpu=-1, **flags)
    result = data / "many" / name / "entity_train_1000.jsonl"
    files = [result.read_bytes(), result.with_name(f"{result.name}.meta.json").read_bytes()]
    return files, read_lines(result.with_name(f"{result.name}.journal.jsonl"))


def by_sentence(entries):
    """Return a journal's entries by sentence, without the settings, which are in the first line alone."""
    plain = ({key: value for key, value in entry.items() if key != "settings"} for entry in entries)
    return sorted(plain, key=lambda entry: int(entry["id"]))


def test_two_workers_write_the_bytes_of_one_process(cluster, data):
    recording = {"backend": "scripted", "model_from_pretrained": data / "answers.jsonl"}
    alone, entries = run_s1(data, "alone", **recording)
    together, spread = run_s1(data, "together", **recording, engine="ray", num_workers=2)
    assert together == alone
    assert by_sentence(spread) == by_sentence(entries)
    assert len({entry["answer"] for entry in spread}) == SENTENCES


def workers_of(ray):
    """Return the process ids of the pool that this process's cluster runs."""
    stats = (path for path in Path("/proc").glob("[0-9]*/stat") if path.is_file())
    parents = {int(path.parent.name): int(path.read_text("utf-8").rpartition(")")[2].split()[1]) for path in stats}
    own = {pid for pid, parent in parents.items() if parents.get(parent) == os.getpid()}
    return [pid for pid in own if b"MapWorker" in Path(f"/proc/{pid}/cmdline").read_bytes()]


@pytest.mark.slow
def test_a_worker_killed_during_a_step_changes_no_byte_of_its_result(cluster, data, tmp_path, monkeypatch):
    make_checkpoint(tmp_path / "tiny", replace(FAMILIES["qwen2"], shape={"max_position_embeddings": 4096}))
    free = {"guided": 0, "dtype": "float32", "max_new_tokens": 24, "batch_size": 5}
    model = {"model_from_pretrained": tmp_path / "tiny", **free}
    alone, entries = run_s1(data, "tiny alone", **model)
    assert len({entry["answer"] for entry in entries}) > SENTENCES // 4  # equal answers would prove nothing
    killed = []
    append = Journal.append

    def append_and_kill(self, new):
        append(self, new)
        if len(self.entries) == 40:
            killed.append(workers_of(cluster)[0])
            os.kill(killed[0], signal.SIGKILL)

    monkeypatch.setattr(Journal, "append", append_and_kill)
    together, spread = run_s1(data, "tiny together", **model, engine="ray", num_workers=2)
    assert len(killed) == 1
    assert together == alone
    assert by_sentence(spread) == by_sentence(entries)


@pytest.fixture
def one_thread():
    """Compute in one thread, as a worker does: with more threads the last digit of a score may differ."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.slow
def test_step_7_writes_the_bytes_of_one_process(cluster, one_thread, data, tmp_path):
    sentences = read_lines(data / "many" / "train_1000.jsonl")
    encoder = make_encoder(tmp_path / "encoder", words_of(sentences))
    model = make_span_model(tmp_path / "best", encoder, ["PLACE"], sentences)
    written = {}
    for name, flags in (("alone", {}), ("together", {"engine": "ray", "num_workers": 2})):
        folder = data / "many" / f"labelled {name}"
        for size, percent in (("250", 25), ("500", 50), ("1000", 100)):
            own = sentences[: SENTENCES * percent // 100]
            new = [{**row, "id": f"{place}-1", "source": place} for place, row in enumerate(own, start=1)]
            write_rows(folder / size / f"train_{size}.jsonl", own)
            write_rows(folder / size / f"train_{size}_synthetic.jsonl", new)
        call("s7", file_dir=data, file_name="many", save_type_name=folder.name, model_from_pretrained=model, **flags)
        written[name] = bytes_below(folder)
        spans = sum(len(row["entities"]) for row in read_lines(folder / "1000" / "train_1000_synthetic_target.jsonl"))
        assert spans > SENTENCES
    targets = [name for name in written["alone"] if name.endswith("_synthetic_target.jsonl")]
    assert len(targets) == 3
    assert [written["alone"][name] for name in targets] == [written["together"][name] for name in targets]


@pytest.mark.slow
def test_a_running_cluster_is_used_and_needs_no_copy_of_the_project(cluster, data, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    start = f"start --head --block --node-ip-address=127.0.0.1 --port={port} --num-cpus=2 --include-dashboard=false"
    words = [sys.executable, "-m", "ray.scripts.scripts", *start.split(), f"--object-store-memory={80 << 20}"]
    quiet = clean_environment(
        RAY_USAGE_STATS_ENABLED="0", RAY_AUTH_MODE="disabled", RAY_TMPDIR=tempfile.mkdtemp(prefix="ray")
    )
    head = subprocess.Popen(words, cwd=tmp_path, env=quiet, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        flags = {"file_dir": data, "file_name": "many", "save_type_name": "cluster", "backend": "scripted"}
        flags |= {"model_from_pretrained": data / "answers.jsonl", "engine": "ray", "num_workers": 2}
        words = [f"--{name}={value}" for name, value in flags.items()]
        done = run_python(
            SCRIPTS / f"{STEPS['s1']}.py",
            *words,
            cwd=tmp_path,
            RAY_ADDRESS=f"127.0.0.1:{port}",
            RAY_AUTH_MODE="disabled",
        )
        assert done.returncode == 0, done.stderr
        assert "annotated 200 sentences: 0 answers unreadable" in done.stderr
        assert len(read_lines(data / "many" / "cluster" / "entity_train_1000.jsonl")) == SENTENCES
    finally:
        head.terminate()
        head.wait(timeout=60)


def wait_for(port):
    """Wait until a server listens on a loopback port."""
    for _ in range(300):
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise TimeoutError(f"no server listens on port {port}")
