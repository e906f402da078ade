"""Study ``paper`` in small: published formats, all modalities, the paper's encoders."""

import pickle
import shutil

import checkpoints
import h5py
import numpy as np
import pandas as pd
import pytest
from drawn_people import render

from sslmepr.corpora.build import read_corpus
from sslmepr.corpora.mosei import CSD, FOLDS
from sslmepr.evaluation.evaluate import evaluate_study
from sslmepr.extraction import extract_corpus
from sslmepr.features import FeatureStore
from sslmepr.labels import EMOTION_COLUMNS, MODALITIES, TRAIT_COLUMNS
from sslmepr.training.all_stages import train_study

pytestmark = pytest.mark.end_to_end
# As the SDK orders MOSEI's ratings, after the sentiment.
RATED = ("happiness", "sadness", "anger", "surprise", "disgust", "fear")
PUBLISHED = ("openness", "conscientiousness", "extraversion", "agreeableness")
TRAINING, DEV, OTHERS = 6, 4, 2


def publish_mosei(folder, films, clips):
    """The SDK's label file and folds, and the raw archive's videos and transcripts."""
    videos = folder / "Raw/Videos/Full/Combined"
    said = folder / "Raw/Transcript/Segmented/Combined"
    videos.mkdir(parents=True)
    said.mkdir(parents=True)
    names = [f"video{place}" for place in range(len(clips))]
    with h5py.File(folder / CSD, "w") as file:
        for name, (_, clip) in zip(names, clips.iterrows(), strict=True):
            shutil.copy(films / clip["media"], videos / f"{name}.mp4")
            line = f"{name}___0___0.0___2.0___{clip['transcript']}\n"
            (said / f"{name}.txt").write_text(line, encoding="utf-8")
            group = file.create_group(f"All Labels/data/{name}")
            group["intervals"] = np.array([[0.0, 2.0]], np.float32)
            rated = [3 * clip[f"emotion_{emotion}"] for emotion in RATED]
            group["features"] = np.array([[0.0, *rated]], np.float32)
    (folder / FOLDS).write_text(
        f"standard_train_fold = {names[:TRAINING]}\n"
        f"standard_valid_fold = {names[TRAINING:]}\nstandard_test_fold = []\n"
    )


def publish_fiv2(folder, films, clips):
    """ChaLearn's pickles, and the videos where its archives unpack them."""
    names = [f"vlog{place}.000.mp4" for place in range(len(clips))]
    (folder / "train-1").mkdir(parents=True)
    for name, media in zip(names, clips["media"], strict=True):
        shutil.copy(films / media, folder / "train-1" / name)
    table = clips.set_axis(names)
    parts = {"training": table[:TRAINING], "validation": table[TRAINING:]}
    for split, part in parts.items():
        scores = {name: part[f"trait_{name}"].to_dict() for name in PUBLISHED}
        # ChaLearn's neuroticism runs from most to least.
        scores["neuroticism"] = part["trait_emotional_stability"].to_dict()
        scores["interview"] = dict.fromkeys(part.index, 0.5)
        for kind, content in {
            "annotation": scores,
            "transcription": part["transcript"].to_dict(),
        }.items():
            path = folder / f"{kind}_{split}.pkl"
            path.write_bytes(pickle.dumps(content, protocol=4))


@pytest.fixture(scope="module")
def study(tmp_path_factory, settings):
    """The study's parameters in small, its published files and checkpoints made."""
    folder = tmp_path_factory.mktemp("paper")
    films = render(folder / "films", settings, 2 * (TRAINING + DEV) + OTHERS)
    first, second = films[: TRAINING + DEV], films[TRAINING + DEV : -OTHERS]
    publish_mosei(folder / "published/mosei", folder / "films", first)
    publish_fiv2(folder / "published/fiv2", folder / "films", second)
    (folder / "published/people").mkdir()
    for media in films["media"][-OTHERS:]:
        shutil.copy(folder / "films" / media, folder / "published/people")
    (folder / "weights").mkdir()
    checkpoints.write_clip(folder / "weights")
    checkpoints.write_wav2vec2(folder / "weights")
    checkpoints.write_bge(folder / "weights")
    sizes = dict.fromkeys(("unimodal", "crosstask", "fusion"), 1)
    return folder, settings.for_study("paper").changed(
        {
            "data_root": str(folder / "published"),
            "corpus.people.path": "people",
            "compute.workers": 1,
            "extract.frames": 2,
            "extract.transcriber": "tiny.en",  # the paper's has to be downloaded
            "extract.checkpoint_dir": str(folder / "weights"),
            "unimodal.refits": 2,
            "fusion.hidden": 16,
            "fusion.seeds": [0],
            "evaluate.resamples": 20,
            **{f"{stage}.epochs": count for stage, count in sizes.items()},
        },
        "test",
    )


@pytest.fixture(scope="module")
def extracted(study):
    """Both published corpora and the recordings without labels, read and encoded."""
    folder, settings = study
    for name in settings.corpora:
        place = folder / "data" / name
        read_corpus(name, settings, place / "corpus")
        root = settings.media_root(name, place / "corpus")
        extract_corpus(name, settings, place / "corpus", root, place / "features")
    return folder


def test_published_corpora_are_read(extracted):
    mosei = pd.read_parquet(extracted / "data/mosei/corpus/clips.parquet")
    fiv2 = pd.read_parquet(extracted / "data/fiv2_filmed/corpus/clips.parquet")
    for table in (mosei, fiv2):
        assert list(table["split"]) == ["train"] * TRAINING + ["dev"] * DEV
        assert table["media"].notna().all() and table["transcript"].notna().all()
    assert mosei[list(EMOTION_COLUMNS)].notna().all(axis=None)
    assert fiv2[list(TRAIT_COLUMNS)].notna().all(axis=None)


def test_every_modality_is_encoded_by_the_papers_encoders(extracted):
    # Behind the features of the encoder: 4 measures of the quality of pictures, 3 of
    # sound, 1 of words.
    made_by = {
        **dict.fromkeys(("face", "body", "scene"), ("clip_vit_b32", 12 + 4)),
        "audio": ("wav2vec2_emotion", 16 + 3),
        "text": ("bge_small_en", 8 + 1),
    }
    for corpus, clips in {"mosei": TRAINING + DEV, "people": OTHERS}.items():
        for modality, (encoder, width) in made_by.items():
            store = FeatureStore.open(
                extracted / "data" / corpus / "features", modality
            )
            assert (store.encoder, store.feature_count) == (encoder, width)
            if modality in ("body", "scene", "audio"):
                assert len(store.clip_ids) == clips, (corpus, modality)


def test_training_and_evaluation_run_to_their_end(study, extracted):
    folder, settings = study
    results = train_study(settings, folder / "run", folder / "data", progress=False)
    assert set(results["crosstask"]) == set(MODALITIES)
    assert set(results["fusion"]) == set(settings.variants)
    found = evaluate_study(settings, folder / "run", folder / "data")
    metrics = found["metrics"]
    for variant in settings.variants:
        assert variant in set(metrics["variant"])
    assert set(metrics["corpus"]) == {"mosei", "fiv2_filmed"}  # nobody rated the people
