"""Draw clips of people who do not exist, as py-feat, OpenFace and openSMILE measure.

    python draw.py FOLDER

In these people happiness goes with extraversion, and sadness with little emotional
stability. Folders: `acted`, whose emotions are rated, `interviews`, whose personality
is, and `guests`, of whom nothing is known but their tables.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

CLIPS = {"acted": 240, "interviews": 240, "guests": 60}
CLIPS_EACH, FRAMES = 4, 8

SHOWN = {
    "anger": ("AU04", "AU23"),
    "disgust": ("AU09",),
    "fear": ("AU05", "AU20"),
    "happiness": ("AU06", "AU12"),
    "sadness": ("AU01", "AU15"),
    "surprise": ("AU26",),
    "openness": ("AU14",),
    "conscientiousness": ("AU17",),
    "extraversion": ("AU25",),
    "agreeableness": ("AU10",),
    "emotional_stability": ("AU07",),
}
"""Action units in which an emotion or a trait is seen."""

TRAITS, EMOTIONS = [*SHOWN][6:], [*SHOWN][:6]
UNITS = sorted(unit for units in SHOWN.values() for unit in units)


def draw_ratings(name: str, rng: np.random.Generator) -> pd.DataFrame:
    """Emotions and traits of each clip, as z values; `CLIPS_EACH` of a person."""
    count = CLIPS[name]
    table = pd.DataFrame(
        {"File": [f"{name}_{place:03d}.mp4" for place in range(count)]}
    )
    person = np.arange(count) // CLIPS_EACH
    table["Person"] = [f"{name}_{each:02d}" for each in person]
    table[TRAITS] = rng.standard_normal((person[-1] + 1, len(TRAITS)))[person]
    table[EMOTIONS] = rng.standard_normal((count, len(EMOTIONS)))
    table["happiness"] += 0.6 * table["extraversion"]
    table["sadness"] -= 0.6 * table["emotional_stability"]
    return table


def draw_units(clip: pd.Series, rng: np.random.Generator) -> pd.DataFrame:
    """How strong action units are in each frame, 0 to 1."""
    level = {unit: clip[name] for name, units in SHOWN.items() for unit in units}
    mean = 1.2 * np.array([level[unit] for unit in UNITS]) - 1
    noise = rng.normal(0, 0.6, (FRAMES, len(UNITS)))
    return pd.DataFrame(1 / (1 + np.exp(-mean - noise)), columns=UNITS)


def pyfeat(clip: pd.Series, units: pd.DataFrame, lost: np.ndarray) -> pd.DataFrame:
    """What `Fex.to_csv` writes of every fifth frame; a lost one is empty."""
    table = units.assign(Pitch=0.0, Roll=0.0, Yaw=0.0)
    table.insert(0, "FaceScore", 0.97)
    table[lost] = np.nan
    frames = 5 * np.arange(FRAMES)
    return table.assign(input=f"/home/me/films/{clip['File']}", frame=frames)


def openface(units: pd.DataFrame, lost: np.ndarray) -> pd.DataFrame:
    """What FeatureExtraction writes; a lost frame has zeros, and no success."""
    table = (5 * units).add_suffix("_r")
    table[lost] = 0.0
    table.insert(0, "success", np.where(lost, 0, 1))
    table.insert(0, "confidence", np.where(lost, 0.1, 0.95))
    table.insert(0, "timestamp", 0.2 * np.arange(FRAMES))
    return table


def rate(name: str, clips: pd.DataFrame) -> pd.DataFrame:
    """What raters say: emotions from 0 to 3, traits from 1 to 7, or nothing."""
    emotions = (clips[EMOTIONS] - 0.8).clip(0, 1.5) * 2
    traits = (4 + 1.1 * clips[TRAITS]).clip(1, 7)
    rated = {"acted": [emotions], "interviews": [traits], "guests": []}[name]
    return pd.concat([clips[["File", "Person"]], *rated], axis=1)


def write(folder: Path) -> None:
    """All tables, the same ones every time."""
    rng = np.random.default_rng(3)
    for name in CLIPS:
        clips = draw_ratings(name, rng)
        for tool in ("pyfeat", "openface"):
            (folder / name / tool).mkdir(parents=True, exist_ok=True)
        rate(name, clips).round(2).to_csv(folder / name / "ratings.csv", index=False)
        heard = clips[[*EMOTIONS, *TRAITS]] + rng.normal(0, 0.7, (len(clips), 11))
        heard.columns = [f"descriptor_{place}_amean" for place in range(11)]
        heard.insert(0, "name", "'" + clips["File"] + "'")
        heard.round(3).to_csv(folder / name / "voices.csv", sep=";", index=False)
        for _, clip in clips.iterrows():
            units, lost = draw_units(clip, rng), rng.random(FRAMES) < 0.05
            file = Path(clip["File"]).with_suffix(".csv").name
            for tool, made in (
                ("pyfeat", pyfeat(clip, units, lost)),
                ("openface", openface(units, lost)),
            ):
                made.round(3).to_csv(folder / name / tool / file, index=False)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    write(Path(sys.argv[1]))
