"""What the app reads of a recording, against the command line and by hand."""

import base64
import html
import io
import json
import re
import shutil
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from app_models import ENCODERS, draw_models
from recordings import write_sound, write_video
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from sslmepr import params as parameters
from sslmepr.app import explain
from sslmepr.app.explain import (
    Explainer,
    MeanOverSeeds,
    farthest,
    training_average,
)
from sslmepr.app.intake import AppError
from sslmepr.app.reading import RECORDING, STEPS, Reader
from sslmepr.app.report import report
from sslmepr.app.scores import score_table
from sslmepr.app.several import packed, unpacked
from sslmepr.extraction.chunks import tools
from sslmepr.extraction.corpus import ExtractionError
from sslmepr.labels import EMOTION_COLUMNS, EMOTIONS, TRAIT_COLUMNS, TRAITS
from sslmepr.predict import WRITERS, predict
from sslmepr.training import new_clips
from sslmepr.training.fusion_clips import FusionClips
from sslmepr.training.new_clips import StudyModels
from sslmepr.weights import WeightsError

KEPT = {"variant": "multitask", "missing": "", "scores": {"anger": 0.0}}
MARKUP = "<img src=x onerror=alert(1)>.mp4"
WORDS = "=cmd|' /C calc'!A0 <img src=x onerror=alert(2)> said"
SCORES = [*EMOTION_COLUMNS, *TRAIT_COLUMNS]
NUMBERS = {  # what tables have the numbers of the figures of a section
    "scores": ["Scores from 0 to 1, those of traits with intervals"],
    "frames": ["How each region was found, frame by frame"],
    "found": ["What each moment adds"],
    "output-": ["Attributions", "What each moment adds"],
    "regions": ["What hiding each region takes"],
}


@pytest.fixture(scope="module")
def reader(project):
    return Reader(project, "multitask")


@pytest.fixture
def calls(reader, monkeypatch):
    """What is heard and searched for faces; either takes most of the time."""
    kept = tools(reader.params.extract, reader.params.compute.device)
    found = []

    def counted(whole):
        def call(given):
            found.append(whole.__name__)
            return whole(given)

        return call

    for tool, name in ((kept.transcriber, "transcribe"), (kept.detector, "detect")):
        monkeypatch.setattr(tool, name, counted(getattr(tool, name)))
    return found


def question(path, folder, **changes):
    given = {"start": "", "end": "", "words": "", "variant": "multitask", "wanted": []}
    given |= {"timeline": False, "kept": None, "true": {}}
    return given | {"path": str(path), "folder": str(folder)} | changes


@pytest.fixture(scope="module")
def read(reader, clips, tmp_path_factory):
    """The answer about a recording with words, what was told, and the folder.

    Its name and its words are what a browser or a spreadsheet would run.
    """
    work = tmp_path_factory.mktemp("work")
    told = []
    known = {"words": WORDS, "true": {"anger": 1.0}, "timeline": True}
    asked = question(clips / MARKUP, work, **known)
    answer = reader(asked, lambda *step: told.append(step))
    return json.loads(json.dumps(answer)), told, work


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """Two seconds of noise, without pictures."""
    path = tmp_path_factory.mktemp("sound") / "sound.wav"
    write_sound(path, seconds=2)
    return path


@pytest.fixture(scope="module")
def long(tmp_path_factory):
    """A recording of seven seconds."""
    path = tmp_path_factory.mktemp("long") / "long.mp4"
    write_video(path, frames=70)
    return path


def table_of(answer):
    content = base64.b64decode(answer["files"]["scores.parquet"])
    return pd.read_parquet(io.BytesIO(content))


def page_of(answer):
    return "".join(content for _, content, _ in answer["sections"])


def seen(content):
    """The text of a page."""
    return html.unescape(re.sub(r"<style.*?</style>|<[^>]+>", " ", content, flags=re.S))


@pytest.fixture(scope="module")
def mute(reader, clips, tmp_path_factory):
    """The answer about a recording without sound."""
    work = tmp_path_factory.mktemp("mute")
    return reader(question(clips / "mute.mp4", work), lambda *_: None)


@pytest.mark.parametrize("name", ["é 1.mp4", "mute.mp4"])
def test_the_app_says_what_the_command_says(
    reader, mute, project, clips, name, tmp_path
):
    table = reader.table(question(clips / name, tmp_path / "work"))
    settings = parameters.load(project / "params.yaml")
    folder = project / "runs" / "simulated"
    command = [settings, [str(clips / name)], tmp_path / "x.csv", folder]
    expected = predict(*command).drop(columns="clip")
    same = {"check_exact": True}
    pd.testing.assert_frame_equal(table.drop(columns="clip"), expected, **same)
    if name == "mute.mp4":  # and as files
        found = table_of(mute).drop(columns="clip")
        pd.testing.assert_frame_equal(found, expected, **same)
        text = (tmp_path / "x.csv").read_bytes().decode()
        ours = base64.b64decode(mute["files"]["scores.csv"]).decode()
        assert ours == text.replace(str(clips / name), RECORDING)


def test_a_second_recording_is_not_taken_for_the_first(reader, clips, tmp_path):
    """They may have one name, as those of a camera have."""
    tables = []
    for number, name in enumerate(("é 1.mp4", "mute.mp4")):
        work = tmp_path / str(number)
        work.mkdir()
        shutil.copy(clips / name, work / "recording.mp4")
        tables.append(reader.table(question(work / "recording.mp4", work / "made")))
    assert tables[0]["audio"].tolist() == ["recorded"]
    assert tables[1]["audio"].isna().all()


def test_scores_come_before_their_explanation(read):
    answer, told, _ = read
    assert [each[:2] for each in told] == [
        (place, [*STEPS]) for place in range(1, len(STEPS) + 1)
    ]
    assert "Below 6 seconds there is no course in time" in page_of(answer)
    assert "windows.csv" not in answer["files"]
    # ... and are whole, so that they can be saved whatever comes after them
    first, then = ({each[0] for each in step[2]["sections"]} for step in told[2:4])
    assert first == {"summary", "scores", "certainty", "provenance"}
    assert told[2][2]["files"].keys() == {f"scores{suffix}" for suffix in WRITERS}
    for suffix in WRITERS:
        name = f"scores{suffix}"
        assert told[2][2]["files"][name] == answer["files"][name]
    assert told[2][2]["comparable"] == answer["comparable"]
    assert then - first == {"frames", "found", "modalities", "halves", "weights"}
    ids = [each[0] for each in answer["sections"]]
    assert ids[:3] == ["summary", "scores", "certainty"] and len(ids) == len(set(ids))
    assert {"frames", "found", "modalities", "weights", "regions", "provenance"} < {
        *ids
    }


def test_scores_words_and_truth_are_on_the_page(read):
    answer, _, _ = read
    row = table_of(answer).iloc[0]
    text = " ".join(seen(page_of(answer)).split())
    assert WORDS in text and answer["transcript"] == WORDS
    for name in EMOTION_COLUMNS:
        assert f"{row[name]:.3f}" in text
    for name in TRAIT_COLUMNS:
        assert f"{row[name]:.3f} [{row[f'{name}_low']:.3f}," in text
    assert all(row[f"{name}_set"] in text for name in EMOTION_COLUMNS[1:])
    assert "the 140 people of rated_for_personality (dev)" in text
    assert "1.000" in text  # the truth of anger


def test_attributions_add_up(read, reader):
    answer, _, work = read
    explainer = reader._of["multitask"][1]
    explained = explainer.explain(work, ["fear"])
    assert explained.told == ["fear"]
    assert explainer.detail(work.parent / "none.mp4", work, ["fear"]).regions.empty
    sums = explained.contributions.groupby("target")["attribution"].sum()
    outputs = explained.outputs.set_index("target")
    pd.testing.assert_series_equal(
        sums,
        outputs["attributed"].loc[sums.index],
        check_names=False,
        check_dtype=False,
        rtol=1e-4,
        atol=1e-4,
    )
    assert set(outputs.index) == {*EMOTIONS, *TRAITS}
    np.testing.assert_allclose(
        outputs["output"],
        outputs["baseline"] + sums[outputs.index] + outputs["gap"],
        rtol=1e-6,
        atol=1e-3,
    )
    # The output is that of the table: the mean over seeds, for traits without a logit.
    row = table_of(answer).iloc[0]
    for name in TRAITS:
        assert outputs.at[name, "output"] == pytest.approx(
            row[f"trait_{name}"], abs=1e-5
        )
    # Of emotions the score is: the mean of probabilities, not of logits.
    for name, column in zip([*EMOTIONS, *TRAITS], SCORES, strict=True):
        assert outputs.at[name, "score"] == pytest.approx(row[column], abs=1e-6)
    full = [each[0].removeprefix("output-") for each in answer["sections"]]
    (shown,) = {*full} & {*EMOTIONS}
    percent = f"{100 * row[f'emotion_{shown}']:.0f}\N{NO-BREAK SPACE}% in this clip"
    assert percent in seen(page_of(answer))


def test_leaving_out_a_modality_is_a_clip_without_it(read, reader, clips, tmp_path):
    """Of the same recording without sound and words, only the face is left."""
    _, _, work = read
    predictor, explainer, *_ = reader._of["multitask"]
    explained = explainer.explain(work, [])
    (clip_id,) = pd.read_parquet(work / "clips.parquet")["clip_id"]
    with torch.no_grad():
        given = predictor.models.inputs([clip_id], work / "features")
    assert list(predictor.models.widths) == ["face", "audio", "text"]
    given.present[:] = torch.tensor([True, False, True])
    said = []
    for model in predictor.models.fused:
        with torch.no_grad():
            output = model(given)
        emotions, traits = output.emotion_logits.sigmoid(), output.trait_scores
        said.append(torch.cat([emotions, traits], 1)[0].numpy())
    mine = explained.without[explained.without["modality"] == "audio"]
    mine = mine.set_index("target")["predicted"].loc[[*EMOTIONS, *TRAITS]]
    np.testing.assert_allclose(mine, np.mean(said, axis=0), atol=1e-6)
    assert set(explained.without["modality"]) == {"face", "audio", "text"}


def test_without_training_data_nothing_is_called_average(read):
    """Attributions start from an input without content, and the page says so."""
    page = page_of(read[0])
    assert "average" not in seen(page) + " ".join(re.findall('label="([^"]*)"', page))
    assert "in an input without content" in seen(page) and "No content" in seen(page)


def test_windows_are_segments_predicted_alone(reader, long, calls, tmp_path, undrawn):
    answer = reader(
        question(long, tmp_path / "a", timeline=True, kept=KEPT), lambda *_: None
    )
    # the whole and two windows once each, and nothing again to explain them
    assert sorted(calls) == ["detect"] * 3 + ["transcribe"] * 3
    windows = pd.read_csv(
        io.BytesIO(base64.b64decode(answer["files"]["windows.csv"])),
        encoding="utf-8-sig",
    )
    assert windows[["start", "end"]].to_numpy().tolist() == [[0, 4], [2, 6]]
    (tmp_path / "b").mkdir()
    alone = reader._of["multitask"].predictor.read(
        [long], tmp_path / "b", {"start_seconds": 2.0, "end_seconds": 6.0}
    )
    np.testing.assert_allclose(
        windows[SCORES].iloc[1], alone[SCORES].iloc[0], atol=1e-4
    )
    # ... by every seed, whose lowest and highest are their band
    (work,) = (tmp_path / "a" / "windows").glob("0*")
    models = reader._of["multitask"].models
    ids = pd.read_parquet(work / "clips.parquet")["clip_id"].tolist()
    said = models.predict(ids, work / "features")["emotion"]
    for end, values in (("least", said.min(0)), ("most", said.max(0))):
        found = windows[[f"{name}_{end}" for name in EMOTION_COLUMNS]]
        np.testing.assert_allclose(found, values, atol=1e-4)
    assert (said.max(0) > said.min(0)).any()
    page = page_of(answer)
    assert "Each window of 4 seconds" in page and "2 to 6" in page
    # ... and is compared with the one that was kept, as soon as there are scores
    ids = [each[0] for each in answer["sections"]]
    assert ids[:4] == ["summary", "scores", "comparison", "certainty"]
    assert ids.index("weights") + 1 == ids.index("timeline")
    assert ids[-1] == "provenance"
    assert answer["comparable"]["scores"].keys() == {*EMOTIONS, *TRAITS}
    assert str(tmp_path) not in page + json.dumps(answer["comparable"])


def test_one_of_several_is_the_row_of_the_command(reader, mute, clips, tmp_path):
    asked = question(clips / "mute.mp4", tmp_path, task="row")
    table = unpacked(reader(asked, lambda *_: None)["row"])
    expected = table_of(mute)
    pd.testing.assert_frame_equal(table, expected)
    rows = [{"name": "a.mp4", "row": packed(table)}, {"name": "b", "failed": "No."}]
    asked = {"task": "joined", "rows": rows, "folder": str(tmp_path)}
    both = table_of(reader(asked, lambda *_: None))
    assert both["clip"].tolist() == ["a.mp4", "b"]
    assert both[SCORES].iloc[:1].equals(expected[SCORES])


def test_sound_alone_is_read_as_the_command_reads_it(
    reader, project, sound, calls, tmp_path, undrawn
):
    (tmp_path / "a").mkdir()
    answer = reader(question(sound, tmp_path / "a"), lambda *_: None)
    assert calls == ["transcribe"]
    settings = parameters.load(project / "params.yaml")
    folder = project / "runs" / "simulated"
    expected = predict(settings, [str(sound)], tmp_path / "x.parquet", folder)
    found = table_of(answer).drop(columns="clip")
    pd.testing.assert_frame_equal(found, expected.drop(columns="clip"))
    ids = [each[0] for each in answer["sections"]]
    assert "frames" not in ids and "regions" not in ids and "found" in ids
    # Nobody is seen in it, so that a report has all of it.
    page = report(reader.params, answer["sections"], people=False)
    assert not any(people for _, _, people in answer["sections"])
    assert "The waveform of the sound, 2.0 seconds" in page
    assert "There are no pictures: only the sound was analysed." in page
    assert answer["incomplete"] and "What each moment adds" in page


def test_what_is_missing_is_said(mute):
    assert mute["incomplete"] and mute["transcript"] == ""
    text = seen(page_of(mute))
    assert "Missing: audio: no audio stream" in text
    assert "timeline" not in [each[0] for each in mute["sections"]]  # nor asked for
    assert "No words." in text and "No sound." in text


def test_a_segment_is_read_alone(reader, clips, project, tmp_path):
    """The same as a clip table with these bounds."""
    path = clips / "é 1.mp4"
    asked = question(path, tmp_path / "a", start="0.2", end="0.5", words=WORDS)
    part = reader.table(asked)
    (tmp_path / "b").mkdir()
    given = {"start_seconds": 0.2, "end_seconds": 0.5, "transcript": WORDS}
    table = reader._of["multitask"][0].read([path], tmp_path / "b", given)
    assert part[SCORES].equals(table[SCORES])
    whole = reader.table(question(path, tmp_path / "c", words=WORDS))
    assert not part[SCORES].equals(whole[SCORES])
    assert part["text"].tolist() == ["given"]


def test_no_name_and_no_path_reaches_the_answer(read, clips):
    answer, _, work = read
    page = page_of(answer)
    assert "alert(1)" not in json.dumps(answer) and str(work) not in page
    assert str(clips) not in json.dumps(answer)
    frames = r'<img src="data:image/jpeg;base64,[\w+/=]*" alt="Frame [^"<>]*">'
    assert "<img" not in re.sub(frames, "", page).replace("<image", "")
    assert "&lt;img src=x onerror=alert(2)&gt;" in page
    assert table_of(answer)["clip"].tolist() == [RECORDING]
    for name in ("scores.csv", "scores.json", "attributions.csv"):
        content = base64.b64decode(answer["files"][name]).decode()
        assert str(work) not in content and "alert(1)" not in content
    assert ",'=cmd|" in base64.b64decode(answer["files"]["scores.csv"]).decode()


@pytest.mark.parametrize(
    "name, message",
    [
        ("notes.mp4", "not a recording that can be read"),
        ("broken.mp4", "cannot be decoded"),
        ("gone.mp4", "no longer there"),
        ("bare.mp4", "decoded: it has neither pictures nor sound"),
        ("nobody.mp4", "no person was found.*no audio stream"),
    ],
)
def test_what_cannot_be_read_is_told_in_a_sentence(
    reader, clips, name, message, tmp_path
):
    with pytest.raises(AppError, match=message) as caught:
        reader(question(clips / name, tmp_path), lambda *_: None)
    assert name not in str(caught.value) and str(clips) not in str(caught.value)


def test_the_report_needs_no_network_and_shows_nobody_unless_asked(read, reader):
    answer, _, _ = read
    without = report(reader.params, answer["sections"], people=False)
    whole = report(reader.params, answer["sections"], people=True)
    assert all("The waveform of the sound" in page for page in (without, whole))
    assert "data:image/png" not in without and "data:image/png" in whole
    assert "Pictures of people were left out" in without
    for page in (without, whole):
        assert "means nothing" in page and "must not be" in page
        fetched = re.findall(r"""(?:src|href)=["']([^"']*)""", page)
        assert all(each.startswith(("data:", "#")) for each in fetched)
        assert "<script" not in page and "url(http" not in page
        assert "default-src 'none'" in page


def test_every_figure_has_words_and_a_table(read):
    answer, _, _ = read
    page = page_of(answer)
    labels = re.findall(r'<svg class="\w+" role="\w+" aria-label="([^"]*)"', page)
    assert len(labels) >= 16 and all(len(each) > 20 for each in labels)
    levels = [int(each) for each in re.findall(r"<h(\d)", page)]
    assert levels[0] == 2 and max(np.diff(levels)) <= 1
    for name, content, _ in answer["sections"]:
        if "<figure" not in content:
            continue
        (captions,) = [each for part, each in NUMBERS.items() if name.startswith(part)]
        assert all(f"<caption>{each}</caption>" in page for each in captions), name


def test_the_farthest_outputs():
    outputs = pd.DataFrame(
        {
            "target": ["neutral", "anger", "fear", "openness", "extraversion"],
            "output": [9.0, 1.0, -2.0, 0.6, 0.2],
            "baseline": [0.0, 0.5, 0.0, 0.5, 0.5],
        }
    )
    assert farthest(outputs) == ["fear", "extraversion"]
    assert farthest(outputs[:3]) == ["fear"]


def test_the_mean_of_seeds_is_a_model(reader):
    models = reader._of["multitask"][0].models.fused
    mean = MeanOverSeeds(models)
    given = next(iter(reader._of.values()))[1]
    assert mean.config is models[0].config and given.targets == [*EMOTIONS, *TRAITS]


def test_a_project_without_models_is_told(project, tmp_path):
    for name in ("params.yaml", "studies.yaml"):
        shutil.copy(project / name, tmp_path)
    with pytest.raises(AppError, match="no trained model; `dvc repro") as caught:
        Reader(tmp_path, "multitask")
    assert str(tmp_path) not in str(caught.value)


def test_models_stay_loaded_from_one_recording_to_the_next(reader, clips, tmp_path):
    kept = tools(reader.params.extract, reader.params.compute.device)
    reader.table(question(clips / "é 1.mp4", tmp_path))
    assert tools(reader.params.extract, reader.params.compute.device) is kept


def test_the_last_two_variants_stay_loaded(reader, monkeypatch):

    monkeypatch.setattr(reader, "_of", {"a": 1, "b": 2})
    assert reader._models("a") == 1
    assert [*reader._of] == ["b", "a"]
    reader._models("multitask")
    assert [*reader._of] == ["a", "multitask"]


def test_windows_that_fail_alike_cost_the_windows_alone(
    reader, clips, tmp_path, monkeypatch, undrawn
):
    def fail(*_, **__):
        raise ExtractionError("audio of all 2 clips failed")

    monkeypatch.setattr("sslmepr.app.reading.read_windows", fail)
    asked = question(clips / "é 1.mp4", tmp_path, words=WORDS, timeline=True)
    answer = reader(asked, lambda *_: None)
    assert "The windows could not be read" in page_of(answer)
    assert "windows.csv" not in answer["files"] and "scores.csv" in answer["files"]


def test_models_of_traits_alone_have_no_windows(
    reader, clips, tmp_path, monkeypatch, undrawn
):
    monkeypatch.setattr("sslmepr.app.reading.read_windows", None)  # is not called
    loaded = reader._models("multitask")
    monkeypatch.setattr(loaded.models, "tasks", ("personality",))
    told = []
    asked = question(clips / "é 1.mp4", tmp_path, words=WORDS, timeline=True)
    reader(asked, lambda *step: told.append(step))
    names = [name for name in STEPS if name != STEPS[3]]
    assert [each[1] for each in told] == [names] * len(names)


def test_weights_that_are_not_there_are_told_in_a_sentence(
    reader, clips, tmp_path, monkeypatch
):
    def missing(*_, **__):
        raise WeightsError("/secret/place: cannot fetch")

    monkeypatch.setattr("sslmepr.predict.extract_corpus", missing)
    with pytest.raises(AppError, match="not on this machine: run `sslmepr predict`"):
        reader(question(clips / "é 1.mp4", tmp_path), lambda *_: None)


def test_features_of_another_encoder_are_told(project, tmp_path):
    for name in ("params.yaml", "studies.yaml"):
        shutil.copy(project / name, tmp_path)
    other = {"text": ("bge_small_en", "1")}
    draw_models(tmp_path / "runs" / "simulated", ENCODERS | other)
    with pytest.raises(AppError, match="trained on features of bge_small_en") as caught:
        Reader(tmp_path, "multitask")
    assert str(tmp_path) not in str(caught.value)


def test_rows_of_graph_attention_add_up(read, reader):
    _, _, work = read
    graph = reader._of["multitask"].explainer.explain(work, []).graph
    graph = graph.set_index("modality")
    assert graph.index.tolist() == graph.columns.tolist() == ["face", "audio", "text"]
    np.testing.assert_allclose(graph.sum(axis=1), 1, atol=1e-5)


def _is_filled(value):
    """Single numbers may be on the CPU."""
    return isinstance(value, torch.Tensor) and value.dim() > 0


class Elsewhere(TorchFunctionMode):
    """A device beside the CPU, whose tensors have shapes and no numbers.

    As on a GPU, nothing computes with tensors of both, and nothing but copies to the
    CPU may be read; what they hold is made up.
    """

    copies = (torch.Tensor.cpu, torch.Tensor.tolist, torch.Tensor.item)
    copies += (torch.Tensor.__bool__, torch.Tensor.__float__)
    either = (torch.Tensor.__getitem__, torch.Tensor.__setitem__)  # places may be there
    either += (torch._has_compatible_shallow_copy_type, torch.Tensor.data.__set__)
    either += (torch.Tensor.to, torch.Tensor.copy_)

    def __torch_function__(self, function, types, given=(), named=None):
        places = {each.device.type for each in tree_leaves(given) if _is_filled(each)}
        assert len(places) < 2 or function in self.either, function
        first = given[0] if given else None
        if isinstance(first, torch.Tensor) and first.is_meta:
            if function is torch.Tensor.nonzero:  # no clip lacks all modalities
                return first.new_empty((0, first.dim()), dtype=torch.int64)
            if function in self.copies:
                made_up = torch.full(first.shape, first.dtype == torch.bool)
                given = (made_up.to(first.dtype), *given[1:])
        return function(*given, **(named or {}))


def test_whatever_is_explained_stays_on_the_device_of_the_models(
    reader, read, project, monkeypatch
):
    _, _, work = read
    loaded, folder = reader._of["multitask"], project / "runs" / "simulated"
    monkeypatch.setattr(new_clips, "choose_device", torch.device)
    models = StudyModels(folder, folder / "fusion" / "multitask", "meta")
    models.fused = models.fused[:1]  # without kernels, every step takes its time
    clip_ids = pd.read_parquet(work / "clips.parquet")["clip_id"].tolist()

    class Clips:
        """Those of the training: here, the recording."""

        def read(clips, modalities, study_folder, device):
            given = loaded.models.inputs(clip_ids, work / "features").to(device)
            batch = SimpleNamespace(inputs=given)
            return SimpleNamespace(rows=lambda *_: np.zeros(1), batch=lambda _: batch)

    monkeypatch.setattr(explain, "FusionClips", Clips)
    monkeypatch.setattr(explain, "read_study_clips", lambda *_: None)
    one = reader.params.attention.model_copy(update={"steps": 1})
    params = reader.params.model_copy(update={"attention": one})
    with torch.no_grad(), Elsewhere():
        average = training_average(reader.params, models, folder, project)
    monkeypatch.setattr(explain, "FusionClips", FusionClips)
    row = table_of(read[0]).iloc[0]
    with Elsewhere(), np.errstate(invalid="ignore"):  # shares of nothing
        explainer = Explainer(params, models, average, reader.encoders)
        found = explainer.explain(work, ["fear"])
        assert set(found.contributions["target"]) == {*EMOTIONS, *TRAITS}
        details = explainer.detail(work.parent / "none.mp4", work, found.told)
        assert set(details.steps["modality"]) == {"face", "audio", "text"}
        assert set(details.words["target"]) == {*EMOTIONS, *TRAITS}
        scores = score_table(row, models, average, None, {})
    assert scores.loc[list(TRAITS), "reference"].tolist() == [0.0] * 5  # made up
