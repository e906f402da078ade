"""Provenance of results: hashes of the data, code revision, versions, machine."""

import hashlib
import platform
import re
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import pandas as pd
import torch
from threadpoolctl import threadpool_info

from sslmepr.params import Params
from sslmepr.params.corpora import GivenCorpus
from sslmepr.report.overview import Findings, first_screen
from sslmepr.report.words import plain
from sslmepr.training.checkpoints import code_revision

PACKAGES = ("torch", "transformers", "onnxruntime", "pandas", "statsmodels")


def file_hashes(folder: Path) -> dict[str, str]:
    """Hash the files directly in a folder.

    A subfolder, which may hold gigabytes of media, is hashed by the names and sizes of
    all files below it.

    Returns
    -------
    dict of str to str
        Name to the first 16 hexadecimal digits of the sha256.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    """
    hashes = {}
    for path in sorted(folder.iterdir()):
        if path.is_file():
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            hashes[path.name] = digest[:16]
        else:
            below = sorted(each for each in path.rglob("*") if each.is_file())
            listed = [
                f"{each.relative_to(path).as_posix()} {each.stat().st_size}\n"
                for each in below
            ]
            digest = hashlib.sha256("".join(listed).encode()).hexdigest()
            hashes[f"{path.name}/"] = digest[:16]
    return hashes


def machine() -> dict[str, str]:
    """Properties of this machine that affect floating-point rounding.

    Returns
    -------
    dict
        processor (its model), blas (numpy's BLAS library and kernel) and torch (its
        instruction set).
    """
    model = platform.processor() or platform.machine()
    listed = Path("/proc/cpuinfo")
    if listed.exists():
        names = re.findall(r"^model name\s*: (.+)$", listed.read_text(), re.M)
        model = names[0] if names else model
    found = [each for each in threadpool_info() if each["user_api"] == "blas"]
    # Other BLAS libraries, such as scipy's, are listed only after their import.
    found = [each for each in found if "numpy" in each["filepath"]] or found
    blas = {
        f"{each['internal_api']} {each.get('architecture', '')}".strip()
        for each in found
    }
    return {
        "processor": model,
        "blas": ", ".join(sorted(blas)) or "unknown",
        "torch": torch.backends.cpu.get_cpu_capability(),
    }


def _given_hashes(corpus: GivenCorpus, folder: Path) -> dict[str, str] | None:
    return None if corpus.optional and not folder.is_dir() else file_hashes(folder)


def provenance(params: Params, data_folder: Path) -> dict:
    """Describe a study's data, code revision, package versions and machine.

    Hashes are of the published files of a corpus, of the files of all parts of a union,
    and of the clip tables of a simulated corpus. They are None for an optional corpus
    that is missing.

    Parameters
    ----------
    params : Params
    data_folder : Path
        Folder of the corpora.

    Returns
    -------
    dict
    """
    data = {}
    for name in params.roles.model_dump().values():
        corpus, root = params.corpus[name], params.data_path(name)
        if corpus.source == "union":
            for part, section in corpus.parts.items():
                data[part] = _given_hashes(section, root / section.path)
        elif corpus.source == "simulated":
            data[name] = file_hashes(data_folder / name / "corpus")
        else:
            data[name] = _given_hashes(corpus, root)
    return {
        "study": params.study,
        "code revision": code_revision(),
        "versions": {"python": platform.python_version()}
        | {name: version(name) for name in PACKAGES},
        "machine": machine(),
        "data (sha256)": data,
    }


def record_findings(
    made_from: Mapping, corpora: Mapping[str, Mapping], obtained: pd.DataFrame
) -> Findings:
    """What a study was computed from, how sure that is, and what it does not say.

    Parameters
    ----------
    made_from : mapping
        From `provenance`.
    corpora : mapping of str to mapping
        Corpus or part to its summary from `sslmepr.corpora.build.describe`.
    obtained : DataFrame
        From `sslmepr.extraction.record.extraction_record`.
    """
    hashes = [each or {} for each in made_from["data (sha256)"].values()]
    clips = "; ".join(
        f"{plain(name, 'corpus')}, {summary['clips']['all']:,}"
        for name, summary in corpora.items()
    )
    # The digits of the revision stand in the table below.
    code, _, _ = made_from["code revision"].partition("+")
    machine = made_from["machine"]["processor"]
    answer = (
        f"**Study {made_from['study']}** was computed with version {code} of the code, "
        f"on {machine}, from clips of these corpora: {clips}. "
        f"{sum(map(len, hashes))} hashes of files and folders say whether data are the "
        "same."
    )
    lacking = (obtained["missing"].fillna("") != "").sum()
    sure = (
        "The stage itself writes these tables, which travel in git, so that results "
        "can be checked where the data may not go. Of "
        f"{len(obtained)} held-out clips, {lacking} lack a modality; "
        "`held_out.csv` tells which, and why."
    )
    unsaid = (
        "That data are the same does not make them right; and other processors round "
        "otherwise, which the chapter on reproducibility measures."
    )
    return Findings(first_screen(answer, sure, unsaid))
