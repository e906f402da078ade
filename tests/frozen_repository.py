"""A small repository with whatever a confirmation freezes."""

import shutil
import subprocess
from pathlib import Path

from sslmepr.confirmation.frozen import FILES, SETTINGS

ROOT = Path(__file__).parents[1]
CODE = {
    "sslmepr/one.py": "one = 1\n",
    "sslmepr/inner/two.py": "two = 2\n",
    "sslmepr/report/shown.py": "shown = 3\n",
    "sslmepr/__main__.py": "begins = 4\n",
}


def git(folder, *words):
    who = ["-c", "user.name=Nobody", "-c", "user.email=nobody@example.org"]
    done = subprocess.run(
        ["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def commit(folder):
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "All")
    return git(folder, "rev-parse", "HEAD")


def make_repository(folder):
    """Write and commit it; returns the commit."""
    for name, text in CODE.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for name in (*FILES, *SETTINGS):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, path)
    (folder / ".gitignore").write_text("/runs/\n/data/\n__pycache__/\n")
    git(folder, "init", "--quiet")
    return commit(folder)
