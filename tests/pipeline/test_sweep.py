from pathlib import Path

import pytest

from sslmepr import params
from sslmepr.pipeline.sweep import SweepError, sweep

ROOT = Path(__file__).parents[2]


@pytest.fixture
def small():
    full = params.load(ROOT / "params.yaml")
    names = ("multitask", "with_guide_bank", "face", "text", "face_text")
    return full.model_copy(
        update={
            "modalities": ["face", "audio"],
            "variant": {name: full.variant[name] for name in names},
        }
    )


class Recorder:
    """Stands for DVC: remembers what it was told, and writes what repro restores."""

    def __init__(self, folder, known="", failing=(), broken=None):
        self.folder, self.known, self.failing = folder, known, failing
        self.broken, self.calls, self.threads = broken, [], None

    def __call__(self, *words, threads=None):
        self.calls.append(words)
        self.threads = threads or self.threads
        if words == ("repro", "--keep-going", "fusion"):
            self.folder.mkdir(parents=True, exist_ok=True)
            for name in ("multitask", "with_guide_bank", "face"):
                if name not in self.failing:
                    (self.folder / f"{name}.json").write_text("{}")
        return int(words[-1] == self.broken), self.known if "list" in words else ""


def test_every_possible_variant_is_queued_run_restored_and_compared(small, tmp_path):
    dvc = Recorder(tmp_path / "simulated" / "fusion")
    found = sweep(small, 2, dvc, tmp_path)
    assert found == ["multitask", "with_guide_bank", "face"]
    every = ("-S", "variants=[multitask,with_guide_bank,face]")
    queued = [
        (
            *("exp", "run", "--queue", "--name", f"simulated-{name}"),
            *("-S", f"variants=[{name}]", f"fusion@{name}"),
        )
        for name in found
    ]
    assert dvc.calls == [
        ("exp", "run", *every, "crosstask"),
        ("exp", "list", "--name-only"),
        *queued,
        ("exp", "run", "--run-all", "--jobs", "2"),
        ("repro", "--keep-going", "fusion"),
        ("exp", "run", *every, "ablation"),
    ]


@pytest.mark.parametrize(("jobs", "threads"), [(1, 6), (2, 3), (4, 1), (99, 1)])
def test_experiments_share_the_cores(small, tmp_path, monkeypatch, jobs, threads):
    monkeypatch.setattr("os.cpu_count", lambda: 6)
    dvc = Recorder(tmp_path / "simulated" / "fusion")
    sweep(small, jobs, dvc, tmp_path)
    assert dvc.threads == threads


def test_experiments_of_an_earlier_sweep_are_replaced(small, tmp_path):
    dvc = Recorder(tmp_path / "simulated" / "fusion", "mine\nsimulated-face\n")
    sweep(small, 1, dvc, tmp_path)
    removed = [words for words in dvc.calls if words[:2] == ("exp", "remove")]
    assert removed == [("exp", "remove", "simulated-face")]


def test_what_was_trained_is_compared_though_a_variant_failed(small, tmp_path):
    dvc = Recorder(tmp_path / "simulated" / "fusion", failing=["face"])
    with pytest.raises(SweepError, match="variants that failed: face$"):
        sweep(small, 1, dvc, tmp_path)
    compared = ("exp", "run", "-S", "variants=[multitask,with_guide_bank]", "ablation")
    assert dvc.calls[-1] == compared


def test_nothing_is_queued_without_what_all_share(small, tmp_path):
    dvc = Recorder(tmp_path, broken="crosstask")
    with pytest.raises(SweepError, match="stages 1, 2: failed"):
        sweep(small, 1, dvc, tmp_path)
    assert len(dvc.calls) == 1
