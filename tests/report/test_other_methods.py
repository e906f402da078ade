"""Sentences on other methods, held against the tables that they are read from."""

import pandas as pd
import pytest

from sslmepr.evaluation.scores import (
    ALL_CLIPS,
    GUESSING,
    KERNELS,
    OF_KNOWN_VIDEOS,
    STACKED,
    WORDS,
)
from sslmepr.report import other_methods


def fitted(shift):
    rows = []
    for place, name in enumerate((STACKED, KERNELS, ALL_CLIPS, OF_KNOWN_VIDEOS)):
        for metric, value in (("r", 0.4), ("CCC", 0.3), ("mACC", 0.9)):
            rows.append((name, "", metric, "mean", value + shift + place / 100))
        rows.append((name, "", "CCC pooled", "pooled", 0.35))
    rows.append((OF_KNOWN_VIDEOS, ALL_CLIPS, "CCC above", "mean", 0.05 - shift))
    rows.append((GUESSING, "", "mACC", "mean", 0.88))
    return table(rows).assign(split="test")


def table(rows):
    columns = ["method", "against", "metric", "target", "estimate"]
    found = pd.DataFrame(rows, columns=columns)
    return found.assign(
        low=found["estimate"] - 0.01,
        high=found["estimate"] + 0.01,
        interval="expanded_percentile",
        n=20,
        n_speakers=10,
    )


def models(**scores):
    """Metrics of variants: name to (dev CCC, dev skill, test CCC, test mACC)."""
    rows = []
    for variant, values in scores.items():
        names = (("dev", "CCC"), ("dev", "skill"), ("test", "CCC"), ("test", "mACC"))
        for (split, metric), value in zip(names, values, strict=True):
            rows.append((split, variant, metric, value))
        rows.append(("test", variant, "weighted F1", values[0]))
    found = pd.DataFrame(rows, columns=["split", "variant", "metric", "estimate"])
    return found.assign(
        stage="fusion",
        modality="fused",
        seed=-1,
        target="mean",
        low=found["estimate"] - 0.02,
        high=found["estimate"] + 0.02,
    )


def test_other_methods_are_told_with_and_without_known_videos():
    own = models(multitask=(0.3, 0.1, 0.36, 0.89))
    apart = models(multitask=(0.3, 0.1, 0.31, 0.88))
    (told,) = other_methods.trait_method_findings(fitted(0.0), fitted(-0.1), own, apart)
    assert "0.360 [0.340, 0.380] and 0.310 [0.290, 0.330]" in told
    for met, unmet in ((0.30, 0.20), (0.31, 0.21), (0.32, 0.22), (0.33, 0.23)):
        assert f"{met:.3f} [{met - 0.01:.3f}, {met + 0.01:.3f}] and {unmet:.3f}" in told
    assert "+0.050 [0.040, 0.060] where they are, and +0.150 [0.140, 0.160]" in told


@pytest.mark.parametrize(
    ("known", "strangers", "meant"),
    [
        (0.05, 0.0, ": what such a method gains is that it knows a video again"),
        (0.05, 0.02, ": new people are read better, too."),
        (0.0, 0.02, ": new people are read better, too."),
        (0.005, -0.02, ": neither is told apart from no gain."),
    ],
)
def test_what_a_gain_means_depends_on_both(known, strangers, meant):
    own = models(multitask=(0.3, 0.1, 0.36, 0.89))
    tables = fitted(0.05 - known), fitted(0.05 - strangers)
    (told,) = other_methods.trait_method_findings(*tables, own, own)
    assert meant in told


def test_nothing_is_told_of_what_is_not_on_record(tmp_path):
    own = models(multitask=(0.3, 0.1, 0.36, 0.89))
    found = other_methods.read_fitted(tmp_path)
    assert set(found) == {"fiv2", "fiv2_by_video", "meld"}
    none = found["fiv2"]
    assert other_methods.trait_method_findings(none, none, own, own) == []
    assert other_methods.line_method_findings(none, own) == []
    assert other_methods.tables(found, ("fiv2", "meld")) == {}


def test_the_variant_that_dev_would_have_chosen():
    metrics = models(
        multitask=(0.30, 0.11, 0.36, 0.8985),
        no_product_of_experts=(0.35, 0.10, 0.39, 0.8982),
        with_everything=(0.40, 0.04, 0.41, 0.88),
    )
    (told,) = other_methods.chosen_variant_findings(metrics)
    assert "(0.225, default 0.205)" in told
    assert "0.390 [0.370, 0.410], of the default 0.360" in told
    assert "0.8982 [0.8782, 0.9182] and 0.8985" in told
    best = models(multitask=(0.5, 0.2, 0.1, 0.8), with_everything=(0.4, 0.2, 0.3, 0.8))
    assert other_methods.chosen_variant_findings(best) == []


@pytest.mark.parametrize(("first", "second"), [(0.5, 0.6), (0.6, 0.5)])
def test_the_method_of_lines_that_dev_chooses(first, second):
    rows = []
    for split, change in (("dev", 0.0), ("test", 0.1)):
        part = [
            (WORDS, "", "weighted F1", "mean", first - change),
            ("adapted", "", "weighted F1", "mean", second - change),
            ("adapted", WORDS, "weighted F1 above", "mean", second - first),
        ]
        rows.append(table(part).assign(split=split))
    lines = pd.concat(rows, ignore_index=True)
    own = models(multitask=(0.3, 0.1, 0.36, 0.89))
    (told,) = other_methods.line_method_findings(lines, own)
    best = "adapted" if second > first else WORDS
    assert f"Dev chooses: {best} (0.600 [0.590, 0.610])" in told
    assert "Held out it reaches 0.500 [0.490, 0.510]" in told
    assert (f"+0.100 [0.090, 0.110] above {WORDS}" in told) is (best != WORDS)
    assert "the default model, 0.300 [0.280, 0.320]" in told
    shown = other_methods.tables({"meld": lines}, ("meld",))
    assert list(shown) == ["MELD, other methods"]
