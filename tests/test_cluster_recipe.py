"""The recipe for SLURM, run with commands that only write down how they are called."""

import os
import subprocess
import time
from pathlib import Path

import pytest

RECIPE = Path(__file__).parents[1] / "book" / "cluster.sbatch"


@pytest.fixture
def run(tmp_path):
    """Run the recipe as SLURM would on `nodes` machines; returns what it calls."""
    commands, log = tmp_path / "bin", tmp_path / "log"
    commands.mkdir()
    for name in ("ray", "srun", "sslmepr", "scontrol"):
        command = commands / name
        command.write_text(f'#!/bin/bash\necho "{name} $*" >> "{log}"\n')
        command.chmod(0o755)
    with (commands / "scontrol").open("a") as out:
        out.write("printf 'one\\ntwo\\nthree\\n'\n")
    activate = tmp_path / ".venv" / "bin" / "activate"
    activate.parent.mkdir(parents=True)
    activate.touch()

    def run(nodes, *arguments):
        environment = os.environ | {
            "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}",
            "SLURM_SUBMIT_DIR": str(tmp_path),
            "SLURM_JOB_NODELIST": "node[1-3]",
            "SLURM_JOB_NUM_NODES": str(nodes),
            "SLURM_CPUS_PER_TASK": "8",
        }
        subprocess.run(["bash", RECIPE, *arguments], env=environment, check=True)
        expected = 3 + (nodes > 1)  # commands; the workers' runs in the background
        for _ in range(100):
            called = log.read_text().splitlines()
            if len(called) == expected:
                break
            time.sleep(0.1)
        return called

    return run


def test_head_workers_and_pipeline(run):
    called = run(3, "paper")
    assert called[:2] == [
        "scontrol show hostnames node[1-3]",
        "ray start --head --port=6379 --num-cpus=8 --include-dashboard=false",
    ]
    assert sorted(called[2:]) == [  # the workers come while the pipeline begins
        "srun --no-kill --kill-on-bad-exit=0 --exclude=one --nodes=2 "
        "--ntasks-per-node=1 --cpus-per-task=8 "
        "ray start --address=one:6379 --num-cpus=8 --block",
        "sslmepr repro paper -S compute.engine=ray -S compute.address=one:6379",
    ]


def test_one_machine_needs_no_workers(run):
    called = run(1)
    assert not [line for line in called if line.startswith("srun")]
    assert called[-1].startswith("sslmepr repro simulated -S compute.engine=ray ")
