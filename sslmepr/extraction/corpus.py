"""Extraction of a corpus: clips in chunks, over processes or machines, to stores.

Every chunk ends in a shard beside the features' folder. When all are there they are
joined, one sequence in memory at a time, and removed. The result does not depend on
the number of processes or machines, nor on how often the work was interrupted.
"""

import json
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

from sslmepr.corpora.feature_tables import Measured
from sslmepr.corpora.schema import MISSING_COLUMNS, missing_rows, read_clips
from sslmepr.corpora.union import wanted_modalities
from sslmepr.encoders.voice import VoiceDescriptors
from sslmepr.extraction import jobs as work
from sslmepr.extraction.cluster import run_on_ray
from sslmepr.extraction.described import (
    Found,
    describe_clips,
    mark_heard,
    write_sentences,
)
from sslmepr.extraction.measured import (
    measured_modalities,
    missing_of,
    unknown_of,
    write_measured,
)
from sslmepr.extraction.shards import (
    Chunk,
    Job,
    read_findings,
    read_sequences,
    shard_key,
)
from sslmepr.features import FeatureError, write_store
from sslmepr.labels import FEATURE_COUNTS, MODALITIES, VISUAL_MODALITIES
from sslmepr.media.regions import PROVENANCES
from sslmepr.params import Params
from sslmepr.params.corpora import Heard
from sslmepr.params.study import Compute
from sslmepr.processes import process_pool
from sslmepr.weights import CARRIERS, weights_state

MEDIA_CHUNK_CLIPS = 16
TEXT_CHUNK_CLIPS = 512

PRELOADED = ["sslmepr.extraction.chunks", "transformers.modeling_utils"]
"""The second is what loading any encoder of transformers imports."""

_CLIP_COLUMNS = ("clip_id", "media", "start_seconds", "end_seconds", "transcript")
_REGION_SCHEMA = pa.schema(
    [
        ("clip_id", pa.string()),
        ("frame", pa.int32()),
        ("seconds", pa.float64()),
        ("modality", pa.string()),
        ("provenance", pa.string()),
        *((side, pa.float32()) for side in ("left", "top", "right", "bottom")),
        ("score", pa.float32()),
        ("faces", pa.int32()),
    ]
)


class Given(NamedTuple):
    """What of a corpus comes from elsewhere than from the encoders of media.

    Attributes
    ----------
    measured : dict of str to Measured
        Modality to what tables say.
    described : Found
    heard : Heard or None
        How voices are measured.
    """

    measured: dict[str, Measured]
    described: Found
    heard: Heard | None

    def pictured(self, modality: str) -> bool:
        """Whether a modality comes from regions of frames."""
        elsewhere = {*self.measured, *self.described.modalities}
        return modality in VISUAL_MODALITIES and modality not in elsewhere


class ExtractionError(RuntimeError):
    """Extraction failed for a reason that is not in the clips."""


def extract_corpus(
    name: str,
    params: Params,
    corpus_folder: str | Path,
    media_root: str | Path,
    features_folder: str | Path,
    keep: bool = False,
) -> dict:
    """Extract every modality that the clips of a corpus have.

    Writes one feature store per modality (empty where no clip has it), and
    ``regions.parquet``, ``transcripts.parquet``, ``missing.csv``, ``summary.json``.
    A clip without media lacks the other modalities by nature, and is not listed as
    missing them; nor is one of which `params.corpus` wants others only. What the corpus
    had to leave out is listed first. Modalities that `params.corpus` gives tables of
    are read from these, and not from media.

    Parameters
    ----------
    name : str
        The corpus, for the progress bar and the summary.
    corpus_folder : str or Path
        Holds the clip table.
    media_root : str or Path
        The clip table's media paths start here.
    features_folder : str or Path
        Where to write; finished chunks wait beside it, in ``<folder>.partial``.
    keep : bool
        Whether models that this process has loaded stay loaded for the next call.

    Returns
    -------
    dict
        The content of ``summary.json``.

    Raises
    ------
    CorpusError
        If tables of features cannot be read (`measured_modalities`).
    WeightsError
        If an encoder, the detector or the transcriber cannot be loaded.
    ExtractionError
        If a modality of all clips, of two at least, fails with the same unexpected
        error. That of a single clip is its reason in ``missing.csv``.
    """
    features_folder = Path(features_folder)
    partial = features_folder.with_name(features_folder.name + ".partial")
    table = read_clips(corpus_folder)
    corpus = params.corpus.get(name)
    clips = _clip_rows(table, corpus)
    measured = measured_modalities(corpus, clips, params)
    given = Given(
        measured,
        describe_clips(corpus, clips, params),
        mark_heard(corpus, clips, measured),
    )
    to_extract = [c for c in clips if c["modalities"] or c.get("described")]
    jobs = _jobs(to_extract, params, Path(media_root), partial)
    _run(name, jobs, params.compute, keep)
    shards = [job.shard for job in jobs]
    features_folder.mkdir(parents=True, exist_ok=True)
    left_out = missing_rows(table)
    summary = _join(name, clips, left_out, shards, given, params, features_folder)
    if summary["unexpected_errors"]:
        print(
            f"extract {name}: {summary['unexpected_errors']} unexpected errors; see "
            f"{features_folder / 'missing.csv'}",
            file=sys.stderr,
        )
    shutil.rmtree(partial, ignore_errors=True)
    return summary


def _clip_rows(table: pd.DataFrame, corpus) -> list[dict]:
    """The columns that extraction needs, None for what is absent, and what to take."""
    rows = table[list(_CLIP_COLUMNS)].astype(object)
    rows = rows.where(rows.notna(), None)
    rows["modalities"] = wanted_modalities(corpus, table["clip_id"])
    return rows.to_dict("records")


def _jobs(clips, params: Params, media_root: Path, partial: Path) -> list[Job]:
    extract, device = params.extract, params.compute.device
    encoders = extract.image_encoder, extract.speech_encoder, extract.text_encoder
    settings = {
        "extract": extract.model_dump(),
        "weights": {name: carrier.sha256 for name, carrier in CARRIERS.items()},
        "encoders": [weights_state(name, extract.checkpoint_dir) for name in encoders],
    }
    has_media = any(clip["media"] for clip in clips)
    size = MEDIA_CHUNK_CLIPS if has_media else TEXT_CHUNK_CLIPS
    jobs = []
    for begin in range(0, len(clips), size):
        chunk = clips[begin : begin + size]
        key = shard_key(settings, chunk, media_root)
        shard = partial / f"{key}.safetensors"
        jobs.append(Job(tuple(chunk), media_root, extract, device, shard))
    return jobs


def _run(name: str, jobs: list[Job], compute: Compute, keep: bool) -> None:
    """Make the shards that are not there yet."""
    waiting = [job for job in jobs if not job.shard.is_file()]
    total = sum(len(job.clips) for job in jobs)
    done = total - sum(len(job.clips) for job in waiting)
    with tqdm(total=total, initial=done, desc=f"extract {name}", unit="clip") as bar:
        for job in _done(waiting, compute, keep):
            bar.update(len(job.clips))


def _done(jobs: list[Job], compute: Compute, keep: bool) -> Iterator[Job]:
    """Each job once it is done, in whatever order."""
    if compute.engine == "ray" and jobs:
        yield from run_on_ray(jobs, compute)
    elif min(compute.workers, len(jobs)) <= 1:
        for job in jobs:
            work.do(job)
            yield job
        if not keep:
            work.free()
    else:
        yield from _run_processes(jobs, compute.workers)


def _run_processes(jobs: list[Job], workers: int) -> Iterator[Job]:
    pool = process_pool(min(workers, len(jobs)), PRELOADED)
    try:
        futures = {pool.submit(work.do, job): job for job in jobs}
        for future in as_completed(futures):
            future.result()
            yield futures[future]
    except BrokenProcessPool as error:
        raise RuntimeError(
            "a process that extracts was killed, perhaps for want of memory; chunks "
            "that are done are kept: run again, with fewer compute.workers"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _join(name, clips, left_out, shards, given: Given, params, folder: Path) -> dict:
    """Join shards to stores, tables and summary."""
    findings, found = _collect(shards, folder / "regions.parquet")
    _require_different_errors(findings, shards)
    columns = ["clip_id", "transcript", "source", "language"]
    transcripts = pd.DataFrame(findings.transcripts, columns=columns, dtype="str")
    transcripts.to_parquet(folder / "transcripts.parquet", index=False)
    write_sentences(folder, given.described)
    findings.missing += missing_of(given.measured) + given.described.missing
    unknown = unknown_of(given.measured) + given.described.unknown
    lost = left_out + findings.missing + unknown
    missing = pd.DataFrame(lost, columns=list(MISSING_COLUMNS))
    missing.to_csv(folder / "missing.csv", index=False, encoding="utf-8")
    tables = {
        modality: write_measured(folder, modality, given.measured[modality])
        if modality in given.measured
        else _write_modality(modality, shards, findings, found, given, params, folder)
        for modality in MODALITIES
    }
    summary = _summary(name, clips, findings, given, tables)
    text = json.dumps(summary, indent=2, ensure_ascii=False)
    (folder / "summary.json").write_text(text + "\n", encoding="utf-8")
    return summary


def _collect(shards: list[Path], regions_path: Path) -> tuple[Chunk, pd.DataFrame]:
    """Findings of all shards, and how often each clip's regions were found how.

    The regions themselves are written on the way: they are too many to hold.
    """
    findings = Chunk()
    counts = [pd.DataFrame(columns=["clip_id", "modality", *PROVENANCES])]
    with pq.ParquetWriter(regions_path, _REGION_SCHEMA) as writer:
        for shard in shards:
            part = read_findings(shard)
            findings.missing += part.missing
            findings.unexpected += part.unexpected
            findings.transcripts += part.transcripts
            _check_encoders(shard, findings.encoders, part.encoders)
            findings.encoders |= part.encoders
            for modality, rates in part.rates.items():
                findings.rates.setdefault(modality, {}).update(rates)
            if part.regions:
                writer.write_table(pa.table(part.regions, schema=_REGION_SCHEMA))
                counts.append(_provenance_counts(part.regions))
    return findings, pd.concat(counts[1:] or counts)


def _require_different_errors(findings: Chunk, shards: list[Path]) -> None:
    """Refuse an error that all clips have: it is one of the program or installation."""
    for modality in MODALITIES:
        failed = [each for each in findings.unexpected if each[1] == modality]
        lost = sum(each[1] == modality for each in findings.missing)
        alike = len({place for _, _, place, _ in failed}) == 1
        if modality in findings.encoders or not (len(failed) == lost > 1 and alike):
            continue
        for shard in shards:  # of a mended program they are to be made again
            shard.unlink()
        raise ExtractionError(
            f"{modality} of all {lost} clips failed with the same unexpected error, "
            f"first of {failed[0][0]}:\n{failed[0][3]}"
        )


def _check_encoders(shard: Path, expected: dict, found: dict) -> None:
    """Refuse shards of different encoders or revisions for one store."""
    for modality, encoder in found.items():
        if encoder != expected.get(modality, encoder):
            raise FeatureError(
                f"{shard}: {modality} was made by {' '.join(encoder)}, the chunks "
                f"before it by {' '.join(expected[modality])}; remove {shard.parent} "
                "and extract again"
            )


def _provenance_counts(regions: dict[str, list]) -> pd.DataFrame:
    """Frames per clip, modality and provenance."""
    columns = ("clip_id", "modality", "provenance")
    # Columns without any region would be numbers, and would not join clips by name.
    table = pd.DataFrame({name: regions[name] for name in columns}, dtype="str")
    counts = table.value_counts(sort=False).unstack(fill_value=0)
    counts = counts.reindex(columns=list(PROVENANCES), fill_value=0)
    return counts.reset_index()


def _write_modality(
    modality, shards, findings, found, given: Given, params, folder
) -> pd.DataFrame:
    """The store of one modality; its table."""
    default = params.extract.encoder_of(modality)
    if modality in given.described.modalities:
        default = params.extract.text_encoder
    columns = None
    if modality == "audio" and given.heard is not None:
        default, columns = VoiceDescriptors.name, VoiceDescriptors.columns
    encoder, revision = findings.encoders.get(modality, [default, ""])
    rates = findings.rates.get(modality, {})
    extra = pd.DataFrame({"clip_id": pd.Series(list(rates), dtype="str")})
    extra["steps_per_second"] = np.array(list(rates.values()), np.float64)
    if given.pictured(modality):
        mine = found[found["modality"] == modality].drop(columns="modality")
        extra = extra.merge(mine, on="clip_id", how="left")
    sequences = (pair for shard in shards for pair in read_sequences(shard, modality))
    width = len(columns) if columns else FEATURE_COUNTS[default]
    return write_store(
        folder, modality, sequences, encoder, revision, extra, width, columns
    )


def _summary(name, clips, findings, given: Given, tables) -> dict:
    missing = Counter(modality for _, modality, _ in findings.missing)
    modalities = {}
    for modality, table in tables.items():
        entry = {
            "present": len(table),
            "missing": missing[modality],
            "without_media": len(clips) - len(table) - missing[modality],
            "steps": int(table["steps"].sum()),
        }
        if len(table):
            entry["encoder"], entry["revision"] = table.loc[0, ["encoder", "revision"]]
            rates = table["steps_per_second"].dropna()
            if len(rates):  # texts have none
                entry["median_steps_per_second"] = round(float(rates.median()), 4)
        if modality in given.measured:
            entry |= _told_by_tables(given.measured[modality], table)
        elif modality == "audio" and given.heard is not None:
            entry["columns"] = list(VoiceDescriptors.columns)
        elif given.pictured(modality) and len(table):
            shares = table[list(PROVENANCES)].sum() / table["steps"].sum()
            entry["provenance"] = shares.astype(float).round(4).to_dict()
        modalities[modality] = entry
    sources = Counter(source for _, _, source, _ in findings.transcripts)
    languages = Counter(each[3] for each in findings.transcripts if each[3])
    return {
        "corpus": name,
        "clips": len(clips),
        "modalities": modalities,
        "unexpected_errors": len(findings.unexpected),
        "transcripts": {kind: sources[kind] for kind in ("given", "whisper")},
        "languages_heard": dict(sorted(languages.items())),
    }


def _told_by_tables(measured: Measured, table: pd.DataFrame) -> dict:
    """Which features another tool has measured, and how much of it was taken."""
    told = {"columns": list(measured.columns), "unknown_ids": len(measured.unknown)}
    if len(table):
        share = table["kept"].sum() / table["rows"].sum()
        told["kept"] = round(float(share), 4)
        told["certainty"] = round(float(table["certainty"].mean()), 4)
    return told
