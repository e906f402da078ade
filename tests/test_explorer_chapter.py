"""The chapter on exploring and planning, for a drawn study and for a refused one."""

import ast
import shutil
from pathlib import Path

import nbformat
import numpy as np
import pytest
import yaml
from drawn_scores import CORPORA, MODALITIES, crossed
from scipy.stats import norm

from sslmepr import params, project
from sslmepr.association.scores import SENSORS
from sslmepr.association.stored import store
from sslmepr.report import front_page, tables, theme, words

ROOT = Path(__file__).parents[1]
REFUSED = "associations are not identified: no two modalities are seen together"


@pytest.fixture(scope="module")
def found():
    return crossed(clips=(900, 900, 400), noise=0.8)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """What runs the chapter in a project of that study's results: names to values."""
    tree = yaml.safe_load((ROOT / "params.yaml").read_text())
    roles = dict(zip(("emotion", "personality", "held_out"), CORPORA, strict=True))
    tree |= {"roles": roles, "modalities": MODALITIES}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(tree, sort_keys=False))
    shutil.copy(ROOT / "studies.yaml", tmp_path)
    drawn = tmp_path / front_page.DRAWN
    drawn.parent.mkdir(parents=True)
    shutil.copy(ROOT / front_page.DRAWN, drawn)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(project.STAGE, "explorer")
    monkeypatch.setattr(theme, "display", lambda *a, **k: None)

    def execute(crossed, refused=""):
        results = Path("results/simulated/association")
        store(crossed, refused, params.load(), results, "runs/simulated/association")
        cells = nbformat.read(ROOT / "notebooks/explorer.ipynb", as_version=4).cells
        namespace = {}
        shown = [evaluate(c.source, namespace) for c in cells if c.cell_type == "code"]
        return namespace, [each for each in shown if each is not None]

    return execute


def evaluate(source, namespace):
    """Run a cell; returns the value of its last line, if that is an expression."""
    tree = ast.parse(source)
    ends = isinstance(tree.body[-1], ast.Expr)
    last = ast.Expression(tree.body.pop().value) if ends else None
    exec(compile(tree, "<cell>", "exec"), namespace)
    return eval(compile(last, "<cell>", "eval"), namespace) if last else None


def test_a_study_is_told_explored_planned_and_reported(found, run):
    namespace, shown = run(found)
    told, explored, plan, by_hand, files = shown
    assert told.sentences[0].startswith("**2 of 30 pairs are associated**: happiness")
    heads = [each.split(".**")[0] for each in told.sentences[-2:]]
    assert heads == ["**How sure", "**What it does not say"]
    assert explored.first == ("happiness", "extraversion")
    records = explored.records()
    assert len(records) == 30 and all(len(each["dots"]) == 10 for each in records)
    assert set(plan.frame["question"]) == {
        "Find a pair with r = ±.20",
        "Find a mean over the traits of ±.20",
        "Call a pair absent (surely within ±.10)",
        "Measure a pair to ±.05",
    }
    assert by_hand.frame["estimate"][0] == namespace["by_hand"]
    assert "associations.rtf" in files.files


def test_one_pair_by_hand_is_the_formula_and_near_the_estimate(found, run):
    namespace, _ = run(found)
    emotion, trait = 3, 2
    rated, judged, other = found.scores
    p = rated.labels[:, emotion].mean()
    latent = (rated.labels[:, emotion] - p) / norm.pdf(norm.isf(p))
    score = judged.labels[:, trait]
    score = (score - score.mean()) / score.std()

    def covariance(scores, m, label, of_traits):
        here = scores.present[:, m]
        values = scores.traits[here, m, trait] if of_traits else None
        values = scores.emotions[here, m, emotion] if values is None else values
        return np.mean((values - values.mean()) * label[here])

    top = bottom = 0.0
    for m in range(len(MODALITIES)):
        for k in range(len(MODALITIES)):
            if SENSORS[MODALITIES[m]] == SENSORS[MODALITIES[k]]:
                continue
            a, b = (
                covariance(rated, *each) for each in ((m, latent, 0), (k, latent, 1))
            )
            d, f = (
                covariance(judged, *each) for each in ((m, score, 0), (k, score, 1))
            )
            products = []
            for each in found.scores:
                s, u = each.emotions[:, m, emotion], each.traits[:, k, trait]
                s = s - s[each.present[:, m]].mean()
                u = u - u[each.present[:, k]].mean()
                both = each.present[:, [m, k]].all(1)
                products.append((s * u)[both])
            w = np.concatenate(products).mean()
            top += (a * f) ** 2 * (b / f + d / a - w / (a * f))
            bottom += (a * f) ** 2
    assert namespace["by_hand"] == pytest.approx(top / bottom, abs=0.005)
    full = found.estimate.associations[emotion, trait]
    assert namespace["by_hand"] == pytest.approx(full, abs=0.15)


def test_a_study_that_is_not_identified_shows_no_number(run):
    namespace, shown = run(None, REFUSED)
    told, *messages = shown
    assert told.sentences == [f"**No verdict.** {REFUSED.capitalize()}."]
    assert [each.text for each in messages] == [
        "There is no pair to explore.",
        "Without an estimate there is no standard error to plan with.",
        "Nothing to compute.",
        "There is nothing to report.",
    ]
    assert "by_hand" not in namespace and namespace["pairs"].empty


def test_heads_of_its_tables_are_known_words(found, run, monkeypatch):
    frames = []
    made = tables.Table.__init__

    def note(self, frame, *more):
        frames.append(frame)
        made(self, frame, *more)

    monkeypatch.setattr(tables.Table, "__init__", note)
    _, shown = run(found)
    shown[1]._repr_html_()
    spoken = {words.pretty(name, "corpus") for name in CORPORA}
    heads = {name for frame in frames for name in frame} - spoken
    assert len(frames) == 3 and [h for h in heads if words.known(h) is None] == []
