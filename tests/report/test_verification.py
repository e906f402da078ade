"""Results compared with those on record: what may differ, and what may not."""

import json
import math
import os
import subprocess

import pytest

from sslmepr.__main__ import main
from sslmepr.report import verification, verification_table
from sslmepr.report.provenance import machine
from sslmepr.report.verification import by_file, compare, verify

METRICS = "corpus,variant,seed,metric,target,estimate,low,high,interval,"
METRICS += "n,n_speakers,targets\n"
EVALUATED = "evaluate/metrics.csv"


def differences(name, recorded, computed):
    """By place, of one file."""
    found = compare({name: recorded.encode()}, {name: computed.encode()})
    return {each.where: each for each in found}


def outside(name, recorded, computed):
    found = differences(name, recorded, computed)
    return [where for where, each in found.items() if each.outside]


def table(header, *rows):
    return header + "".join(f"{row}\n" for row in rows)


HEADLINE = "joint,multitask,-1,CCC,mean,{},{},{},expanded_percentile,{},240,5"
ABOUT = "corpus joint, variant multitask, seed -1, metric CCC, target mean"


@pytest.mark.parametrize(
    ("computed", "named"),
    [
        (("0.51", "0.475", "0.525", 240), []),  # at the tolerance: a third of 0.03
        (("0.49", "0.495", "0.505", "240.0"), []),
        (("0.5101", "0.485", "0.515", 240), ["estimate"]),
        (("0.5", "0.485", "0.5251", 240), ["high"]),
        (("0.5", "0.4749", "0.515", 240), ["low"]),
        (("0.5", "0.485", "0.515", 241), ["n"]),
        (("", "0.485", "0.515", 240), ["estimate"]),
        (("nan", "inf", "0.515", 240), ["estimate", "low"]),
    ],
)
def test_metrics_ends_of_intervals_and_counts(computed, named):
    first = table(METRICS, HEADLINE.format("0.5", "0.485", "0.515", 240))
    second = table(METRICS, HEADLINE.format(*computed))
    assert outside(EVALUATED, first, second) == [f"{ABOUT}, {each}" for each in named]


def test_an_interval_belongs_to_the_numbers_of_its_name():
    header = "what,between,between_low,between_high,within,low,high\n"
    first = table(header, "a,0.5,0.35,0.65,0.2,0.185,0.215")
    at_most = table(header, "a,0.6,0.45,0.75,0.21,0.195,0.225")
    assert not outside("x.csv", first, at_most)
    more = table(header, "a,0.601,0.35,0.65,0.211,0.185,0.215")
    assert outside("x.csv", first, more) == ["what a, between", "what a, within"]
    tree = {"m": {"estimate": 0.5, "low": 0.4, "high": 0.7}, "n": {"estimate": 0.5}}
    moved = {"m": {"estimate": 0.6, "low": 0.3, "high": 0.8}, "n": {"estimate": 0.51}}
    found = outside("evaluate/summary.json", json.dumps(tree), json.dumps(moved))
    assert found == ["n/estimate"]


def test_clips_are_compared_by_concordance_and_others_may_be_shown():
    header = "clip_id,target,value\n"
    values = [0.1, 0.9, 0.4, 0.3]
    rows = [f"c{place},anger,{{:g}}".format for place in range(4)]

    def of(change):
        new = [row(change(v)) for row, v in zip(rows, values, strict=True)]
        return table(header, *new)

    def value(changed):
        return differences("attention/outputs.csv", first, changed)["value"]

    first = of(float)
    # by hand: mean .425, variance .086875; 2 cov / (sum of variances + shift squared)
    for change, expected in (
        (lambda v: 3 * v, 1 - 0.52125 / (0.86875 + 0.85**2)),
        (lambda v: v + 0.05, 1 - 0.17375 / (0.17375 + 0.05**2)),
        (lambda v: 1 - v, 1 + 0.17375 / (0.17375 + 0.15**2)),
    ):
        found = value(of(change))
        assert found.kind == "clips" and found.difference == pytest.approx(expected)
        assert found.outside == (expected > 0.05)
    # a clip of both must have the same rows
    less = table(header, *first.splitlines()[1:], "c0,fear,0.2")
    assert outside("attention/outputs.csv", less, first) == ["clip_id c0, target fear"]
    named = table("clip_id,what,cover\n", "c0,a,", "c1,a,0.5")
    assert outside("x.csv", named, named.replace("0.5", "")) == ["cover"]
    constant = of(lambda _: 0.5)
    assert not outside("x.csv", constant, constant)
    assert outside("x.csv", constant, first) == ["value"]


def test_half_of_the_examples_may_be_others():
    def shown(clips):
        return table("clip_id,value\n", *(f"c{clip},0.{clip}" for clip in clips))

    first = shown([1, 2, 3, 4])
    found = differences("x.csv", first, shown([1, 2, 5, 6]))["clips shown"]
    assert found.kind == "examples" and found.difference == 0.5
    assert not outside("x.csv", first, shown([1, 2, 5, 6]))
    assert outside("x.csv", first, shown([1, 5, 6, 7])) == ["clips shown"]
    assert outside("x.csv", first, shown([])) == ["clips shown"]


def test_cells_of_a_confusion_matrix_may_differ_by_single_clips():
    header = "true,predicted,clips,share\n"
    first = table(header, "anger,anger,20,0.4", "anger,fear,30,0.6")
    near = table(header, "anger,anger,25,0.5", "anger,fear,25,0.5")
    assert not outside("evaluate/confusion.csv", first, near)
    far = table(header, "anger,anger,26,0.52", "anger,fear,24,0.48")
    assert len(outside("evaluate/confusion.csv", first, far)) == 4


@pytest.mark.parametrize(("p", "named"), [("0.06", 0), ("0.0601", 1), ("0.0199", 1)])
def test_p_values(p, named):
    header = "emotion,trait,level,p,p_corrected\n"
    first = table(header, "anger,openness,clip,0.001,0.04")
    second = table(header, f"anger,openness,clip,0.001,{p}")
    assert len(outside("association/associations.csv", first, second)) == named


def test_a_middling_p_value_moves_more():
    header = "emotion,trait,p\n"
    first = table(header, "anger,openness,0.5")
    for p, named in (("0.6", 0), ("0.601", 1), ("0.399", 1)):
        assert (
            len(outside("x.csv", first, table(header, f"anger,openness,{p}"))) == named
        )


def test_missing_equals_missing_however_it_is_written():
    first = table(METRICS, HEADLINE.format("", "nan", "NaN", 240))
    second = table(METRICS, HEADLINE.format("nan", "", "", 240))
    assert not outside(EVALUATED, first, second)
    some = table(METRICS, HEADLINE.format("", "", "0.1", 240))
    assert outside(EVALUATED, first, some) == [f"{ABOUT}, high"]


def test_rows_are_matched_by_their_keys_and_not_by_their_place():
    rows = [f"joint,m,{seed},CCC,mean,0.{seed},,,none,9,9,5" for seed in (1, 2, 3)]
    first, second = table(METRICS, *rows), table(METRICS, *reversed(rows))
    assert not outside(EVALUATED, first, second)
    assert not outside(EVALUATED, first, second.replace("m,1,", "m,1.0,"))
    swapped = second.replace("0.1", "0.9")
    assert outside(EVALUATED, first, swapped) == [
        "corpus joint, variant m, seed 1, metric CCC, target mean, estimate"
    ]


def test_rows_of_one_key_are_matched_in_their_order():
    first = table("what,value\n", "a,1.5", "a,2.5")
    assert not outside("x.csv", first, first)
    second = table("what,value\n", "a,1.5", "a,3.5")
    assert outside("x.csv", first, second) == ["what a (2), value"]


def test_a_missing_or_additional_row_column_or_file_is_outside():
    rows = ["a,1.5,2", "b,1.5,2"]
    both, one = (table("what,value,n\n", *each) for each in (rows, rows[:1]))
    assert outside("x.csv", both, one) == ["what b"] == outside("x.csv", one, both)
    fewer = table("what,value\n", "a,1.5", "b,1.5")
    assert outside("x.csv", both, fewer) == ["what a, n", "what b, n"]
    for first, second in ({}, {"x.png": b""}), ({"x.png": b""}, {}):
        (only,) = compare(first, second)
        assert only.outside and only.kind == "file"
    (said,) = compare(
        {"association/findings.json": b'["r = .30"]'},
        {"association/findings.json": b'["r = .31"]'},
    )
    assert said.kind == "file" and not said.outside
    (picture,) = compare({"x.png": b"1"}, {"x.png": b"2"})
    assert not picture.outside


def test_names_kinds_of_interval_and_reasons_are_compared_as_text():
    header = "emotion,trait,r,interval,reason\n"
    first = table(header, "anger,openness,0.5,none,too few")
    for written in ("0.5,cluster_t,too few", "0.5,none,too many"):
        second = table(header, f"anger,openness,{written}")
        assert len(outside("x.csv", first, second)) == 1
    renamed = table(header, "anger,opennes,0.5,none,too few")
    assert len(outside("x.csv", first, renamed)) == 2  # one is missing, one is new


def test_a_decision_turns_only_with_the_number_that_it_rests_on():
    header = "emotion,trait,p_corrected,significant\n"
    first = table(header, "anger,openness,0.049,True")
    for p, allowed in (("0.051", True), ("0.049", False), ("0.2", False)):
        second = table(header, f"anger,openness,{p},False")
        found = differences("x.csv", first, second)
        decision = found["emotion anger, trait openness, significant"]
        assert decision.kind == "decision" and decision.outside != allowed
    first = table("what,low,high,verdict\n", "a,0.001,0.031,better")
    turned = table("what,low,high,verdict\n", "a,-0.001,0.031,undecided")
    assert not outside("x.csv", first, turned)
    alone = first.replace("better", "undecided")
    assert outside("x.csv", first, alone) == ["what a, verdict"]


def test_one_clip_of_a_single_emotion_or_seed_may_cross_its_threshold():
    """5 / 100 clips, and a fifth of it for a mean over five emotions."""
    for seed, target, targets, at_most in (
        ("-1", "anger", 1, 0.05),
        ("0", "mean", 5, 0.05 / 5),
        ("-1", "mean", 6, 0.006),  # the headline
    ):
        row = f"joint,m,{seed},WACC,{target},{{:.4f}},,,none,100,50,{targets}"
        first = table(METRICS, row.format(0.5))
        for away, named in ((at_most - 1e-4, 0), (at_most + 1e-4, 1)):
            second = table(METRICS, row.format(0.5 + away))
            assert len(outside(EVALUATED, first, second)) == named


def test_one_cell_may_cross_its_limit():
    header = "metric,estimate,low,high,n_cells\n"
    first = table(header, "power,0.5,,,20", "slope,0.5,0.4,0.6,20")
    second = table(header, "power,0.55,,,20", "slope,0.5,0.4,0.6,20")
    assert not outside("validity/agreement.csv", first, second)
    worse = table(header, "power,0.6,,,20", "slope,0.57,0.4,0.6,20")
    named = ["metric power, estimate", "metric slope, estimate"]
    assert outside("validity/agreement.csv", first, worse) == named


def test_epochs_that_both_have_are_compared_and_some_may_be_more():
    header = "epoch,train_loss,dev_score,seed\n"
    curve = ["0,0.7,0.5,0", "1,0.6,0.55,0"]
    more = [f"{epoch},0.5,0.6,0" for epoch in range(2, 6)]
    first = table(header, *curve)
    assert not outside("fusion/x.csv", first, table(header, *curve, *more[:3]))
    assert outside("fusion/x.csv", first, table(header, *curve, *more)) == [
        "seed 0, epochs"
    ]
    moved = table(header, "0,0.7,0.511,0", "1,0.61,0.55,0")
    assert outside("fusion/x.csv", first, moved) == ["epoch 0, seed 0, dev_score"]
    assert outside("fusion/x.csv", first, table(header)) == ["seed 0, epochs"]


def test_trees_are_compared_leaf_by_leaf():
    tree = {"clips": 66, "epochs": 5, "dev_score": {"emotion": 0.9}, "seeds": [1, 2]}
    other = {
        "clips": 66.0,
        "epochs": 8,
        "dev_score": {"emotion": 0.91},
        "seeds": [1, 3],
    }
    found = outside("unimodal/x.json", json.dumps(tree), json.dumps(other))
    assert found == ["seeds/1"]
    summary = {"dev": {"m": {"CCC": {"estimate": 0.5, "low": None}}}}
    other = {"dev": {"m": {"CCC": {"estimate": 0.507}}}}
    found = outside("evaluate/summary.json", json.dumps(summary), json.dumps(other))
    assert found == ["dev/m/CCC/estimate", "dev/m/CCC/low"]
    assert not outside("search/x.yaml", "a: 1.0\nb: x\n", "b: x\na: 1.002\n")


def test_provenance_informs_and_never_fails():
    first, second = '{"machine": {"torch": "AVX2"}}', '{"machine": {"blas": "x"}}'
    found = differences("record/provenance.json", first, second)
    assert {each.kind for each in found.values()} == {"provenance"}
    assert not any(each.outside for each in found.values())
    assert all(each.difference == 1 for each in found.values())


def test_a_file_that_cannot_be_read_is_named():
    with pytest.raises(RuntimeError, match=r"x\.csv: cannot be read"):
        compare({"x.csv": b"a,b\n1\n"}, {"x.csv": b"a,b\n1,2\n"})
    with pytest.raises(RuntimeError, match=r"x\.json: cannot be read"):
        compare({"x.json": b"{}"}, {"x.json": b"{"})


def test_by_file_counts_and_keeps_the_largest():
    header = "what,value,low\n"
    first = table(header, "a,1,0.5", "b,2,0.5")
    second = table(header, "a,1.002,0.5", "b,2.01,0.5")
    rows = by_file(compare({"x.csv": first.encode()}, {"x.csv": second.encode()}))
    expected = [
        ("x.csv", "metric", 2, pytest.approx(0.01), 0.006, 1),
        ("x.csv", "interval end", 2, 0.0, 0.005, 0),
    ]
    assert [*rows.itertuples(index=False, name=None)] == expected


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A repository with results of the study `small`, which was run there."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    root = tmp_path / "results" / "small"
    (root / "record").mkdir(parents=True)
    (root / "x.csv").write_text("what,value,n\na,0.5,3\n")
    (root / "record" / "provenance.json").write_text('{"code revision": "1"}')
    (tmp_path / "runs/small/notebooks").mkdir(parents=True)
    (tmp_path / "runs/small/notebooks/record.ipynb").touch()
    (tmp_path / ".gitignore").write_text("runs\n")
    name = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    for words in (["init", "-q"], ["add", "."], [*name, "commit", "-qm", "x"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    return tmp_path


def test_a_rerun_is_verified_and_remembered_by_machine(project, capsys):
    computed = project / "results/small/x.csv"
    computed.write_text("what,value,n\na,0.502,3\n")
    assert verify("small", project)
    said = capsys.readouterr().out
    assert "small: 3 compared, 0 outside: reproduced" in said
    assert "1 of 2 files hold the very same numbers" in said
    computed.write_text("what,value,n\na,0.51,3\n")
    assert not verify("small", project)
    said = capsys.readouterr().out
    assert "outside: x.csv: what a, value: on record 0.5, computed 0.51" in said
    history = verification_table.read_history(project / verification_table.HISTORY)
    (row,) = history.to_dict("records")  # in place of the first
    assert row["study"] == "small" and row["outside"] == 1 and row["compared"] == 3
    assert {key: row[key] for key in machine()} == machine()
    assert row["largest metric"] == pytest.approx(0.01) and math.isnan(row["largest p"])
    assert row["on_record_now"]
    assert row["farthest"] == ("what a, value of x.csv (on record 0.5, computed 0.51)")
    shown = verification_table.last_comparison(history, "small")
    assert shown.to_dict("records") == [
        {"kind": "metric", "tolerance": "0.006", "largest": pytest.approx(0.01)}
    ]
    assert verification_table.machines(history)["processor"].tolist() == [
        row["processor"]
    ]
    report = json.loads((project / "runs/verification/small.json").read_text())
    assert report["named"][0]["where"] == "what a, value"
    assert {each["file"] for each in report["files"]} >= {"x.csv"}


def test_a_row_of_results_that_were_replaced_is_marked(project):
    verify("small", project)
    (project / "results/small/x.csv").write_text("what,value,n\na,0.6,3\n")
    name = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run(["git", *name, "commit", "-qam", "x"], cwd=project, check=True)
    history = verification_table.read_history(project / verification_table.HISTORY)
    assert history["on_record_now"].tolist() == [False]
    # Without git nobody knows.
    (project / ".git").rename(project / "gone")
    history = verification_table.read_history(project / verification_table.HISTORY)
    assert history["on_record_now"].isna().all()


def test_another_machine_gets_a_row_of_its_own(project, monkeypatch):
    verify("small", project)
    other = dict.fromkeys(machine(), "another")
    monkeypatch.setattr(verification, "machine", lambda: other)
    verify("small", project)
    history = verification_table.read_history(project / verification_table.HISTORY)
    assert history["blas"].tolist() == [machine()["blas"], "another"]


def test_what_cannot_be_compared_is_said(project, tmp_path_factory):
    with pytest.raises(RuntimeError, match="'large' are on record; those of: small"):
        verify("large", project)
    (project / "runs/small/notebooks/record.ipynb").unlink()
    with pytest.raises(RuntimeError, match="was not run here.*make repro STUDY=small"):
        verify("small", project)
    unpacked = tmp_path_factory.mktemp("zip")
    with pytest.raises(RuntimeError, match="no git repository.*clone the project"):
        verify("small", unpacked)


def test_one_in_a_thousand_may_be_outside(project):
    computed = project / "results/small/x.csv"
    rows = [f"a{place},0.5" for place in range(2000)]
    computed.write_text(table("what,value\n", *rows))
    name = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    for words in (["add", "."], [*name, "commit", "-qm", "x"]):
        subprocess.run(["git", *words], cwd=project, check=True)
    for away, reproduced in ((2, True), (3, False)):
        rows[:away] = [f"a{place},0.9" for place in range(away)]
        computed.write_text(table("what,value\n", *rows))
        assert verify("small", project) == reproduced
    # what is missing is no number that differs
    computed.write_text(table("what,value\n", *(f"a{n},0.5" for n in range(1999))))
    assert not verify("small", project)


def test_the_command_fails_where_anything_is_outside(project, monkeypatch, capsys):
    monkeypatch.chdir(project)
    assert main(["verify", "small"]) == 0
    (project / "results/small/new.csv").write_text("what,value\na,1\n")
    assert main(["verify", "small"]) == 1
    said = capsys.readouterr()
    assert "outside: new.csv: the file: on record missing, computed there" in said.out
    assert "not those on record" in said.err
