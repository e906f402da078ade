"""How long a processor takes for a clip like those of the published corpora.

``python benchmarks/rates.py`` renders a few clips as long as the mean clip of each
corpus in ``book/corpus_sizes.csv``, 1280 by 720 pixels and 30 pictures a second, has
them extracted with the encoders of the default study and with those of the paper, and
updates ``results/benchmarks.csv``. The book computes the cost of the corpora from it.

Counted is the time that processors spend, so that other programs do not matter; what is
spent once, loading the encoders, is left out. The paper's encoders have their own
architectures with random weights, which take as long as the published ones. Every clip
comes with its transcript, as in both corpora.
"""

import shutil
import tempfile
import time
from pathlib import Path

import pandas as pd
import random_clip
import table
import torch
from transformers import (
    BertConfig,
    BertModel,
    Wav2Vec2Config,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2Model,
)

from sslmepr import params
from sslmepr.extraction import jobs as work
from sslmepr.extraction.shards import Job
from sslmepr.labels import MODALITIES
from sslmepr.params import Params
from sslmepr.params.corpora import Extract
from sslmepr.simulation.corpus import build_simulated
from sslmepr.weights import MINILM_L6

CLIPS = 4
CORPUS = "tiny_joint"
FRAME = {"width": 1280, "height": 720, "frames_per_second": 30}
SIZES = Path("book/corpus_sizes.csv")


def random_weights(folder: Path) -> None:
    """The paper's encoders, untrained, as `checkpoint_dir` wants them."""
    random_clip.write(folder)
    speech = Wav2Vec2Config(  # large and robust, cut to 12 layers
        hidden_size=1024,
        num_hidden_layers=12,
        num_attention_heads=16,
        intermediate_size=4096,
        conv_bias=True,
        feat_extract_norm="layer",
        do_stable_layer_norm=True,
    )
    Wav2Vec2Model(speech).save_pretrained(folder / "wav2vec2_emotion")
    Wav2Vec2FeatureExtractor(return_attention_mask=True).save_pretrained(
        folder / "wav2vec2_emotion"
    )
    text = BertConfig(
        hidden_size=384,
        num_hidden_layers=12,
        num_attention_heads=12,
        intermediate_size=1536,
    )
    bge = folder / "bge_small_en"
    BertModel(text).save_pretrained(bge)
    for path in MINILM_L6.path.parent.glob("*token*"):  # the same words
        shutil.copy(path, bge)
    shutil.copy(MINILM_L6.path.parent / "vocab.txt", bge)


def render(settings: Params, seconds: float, folder: Path) -> list[dict]:
    """Clips of one length, as extraction wants them."""
    tree = settings.model_dump()
    tree["simulation"] |= {"frame": FRAME, "seconds": [seconds, seconds]}
    tree["corpus"][CORPUS] |= {"clips": CLIPS, "persons": CLIPS}
    build_simulated(CORPUS, params.parse(tree, "rates"), folder)
    clips = pd.read_parquet(folder / "clips.parquet")
    columns = ["clip_id", "media", "transcript"]
    whole = {"start_seconds": None, "end_seconds": None, "modalities": MODALITIES}
    return [row | whole for row in clips[columns].to_dict("records")]


def processor_seconds(clips: list[dict], extract: Extract, folder: Path) -> list[float]:
    """Of each clip, after one that is not counted."""
    found = []
    for clip in [clips[0], *clips]:
        job = Job((clip,), folder, extract, "cpu", folder / "shard.safetensors")
        start = time.process_time()
        work.do(job)
        found.append(time.process_time() - start)
    work.free()
    return found[1:]


def main() -> None:
    """Measure each corpus with each choice of encoders; merge into the table."""
    torch.manual_seed(0)
    settings = params.load()
    weights = Path(tempfile.mkdtemp())
    random_weights(weights)
    paper = settings.for_study("paper").extract
    choices = {
        settings.study: settings.extract,
        "paper": paper.model_copy(update={"checkpoint_dir": str(weights)}),
    }
    picture = "{width}×{height}, {frames_per_second} pictures a second".format(**FRAME)
    rows = []
    for size in pd.read_csv(SIZES).itertuples():
        folder = Path(tempfile.mkdtemp())
        seconds = round(3600 * size.hours / size.clips, 1)
        clips = render(settings, seconds, folder)
        for study, extract in choices.items():
            print(f"measuring {size.corpus}, {study}", flush=True)
            found = processor_seconds(clips, extract, folder)
            what = (
                f"extraction of a clip of {seconds:g} s, {picture}, of which "
                f"{extract.frames} are looked at, by the encoders of the study {study}"
            )
            name, unit = f"rate_{size.corpus}_{study}", "processor seconds"
            rows.append(table.row(name, what, found, unit))
        shutil.rmtree(folder)
    shutil.rmtree(weights)
    table.merge(rows)


if __name__ == "__main__":
    main()
