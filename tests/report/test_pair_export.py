import csv
import io
import re

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from drawn_pairs import study
from drawn_scores import SETTINGS
from scipy import stats

from sslmepr.association.cross_table import unidentified
from sslmepr.report import pair_export
from sslmepr.report.chapter_tables import Message
from sslmepr.report.downloads import Downloads

SPECIAL = "±5% of {a} & b_c < d\\e − f – g"


@pytest.fixture(scope="module")
def found():
    return study()


@pytest.fixture(scope="module")
def frame(found):
    return pair_export.paper_table(found[2], SETTINGS.confidence)


class TestTidyExport:
    def test_numbers_are_those_of_the_table(self, found):
        table, _, pairs = found
        assert list(pairs) == list(pair_export.CODEBOOK)
        for name in ("r", "low", "high", "p", "p_corrected", "p_family"):
            np.testing.assert_array_equal(pairs[name], table[name])
        assert pairs["error"].round(9).tolist() == [0.03] * 25 + [0.2] * 5

    def test_equivalence_agrees_with_the_verdict(self, found):
        table, _, pairs = found
        expected = stats.t.sf((0.1 - 0.3) / 0.03, 599)  # nearly 1: -.3 is beyond
        assert pairs["p_equivalence"][0] == pytest.approx(expected)
        zero = pairs["r"] == 0
        expected = stats.t.sf(0.1 / pairs["error"][zero], 599)
        np.testing.assert_allclose(pairs["p_equivalence"][zero], expected)
        absent = pairs["p_equivalence"] < SETTINGS.alpha
        assert (absent == (table["verdict"] == "absent")).all() and absent.sum() == 23

    def test_what_is_not_identified_has_no_rows(self, found):
        nothing = found[1].head(0)
        pairs = pair_export.tidy_export(unidentified("one"), nothing, SETTINGS)
        assert pairs.empty and list(pairs) == list(pair_export.CODEBOOK)


def test_every_column_is_explained(found):
    codes = pair_export.codebook()
    assert codes["column"].tolist() == list(found[2])
    assert (codes["meaning"].str.len() > 10).all()


def test_the_paper_has_rounded_numbers_and_each_emotion_once(frame):
    assert list(frame) == ["Emotion", "Trait", "r", "95% CI", "p", "Verdict"]
    ends = stats.t.interval(0.95, 599, -0.3, 0.03)
    interval = "[" + ", ".join(f"−{-end:.2f}".replace("0.", ".") for end in ends) + "]"
    first = ["Anger", "Openness", "−.30", interval, "< .001", "Present"]
    assert frame.iloc[0].tolist() == first
    assert frame["Emotion"].iloc[1:6].tolist() == ["", "", "", "", "Disgust"]


def test_the_note_states_sizes_levels_and_correction(found):
    note = pair_export.note(found[2], SETTINGS)
    assert note.startswith("N = 1,200 clips of 600 people.")
    assert "30 tests by the Benjamini–Hochberg procedure" in note
    assert "smaller than ±.10 by two one-sided tests at .05" in note
    other = SETTINGS.model_copy(update={"correction": "simes-hochberg"})
    assert "by simes-hochberg" in pair_export.note(found[2], other)


def test_a_doubt_goes_wherever_numbers_are_copied(found, settings):
    doubt = "This is doubtful."
    assert pair_export.note(found[2], SETTINGS, doubt).endswith(f" {doubt}")
    assert pair_export.methods_paragraph(found[2], settings, doubt).endswith(doubt)
    files = pair_export.exports(found[2], settings, doubt).files
    for name in ("associations.rtf", "associations.tex", "methods.txt"):
        assert doubt in files[name].text


def test_the_methods_follow_the_parameters(found, settings):
    told = pair_export.methods_paragraph(found[2], settings)
    assert "1,200 clips of 600 people" in told and "face, body, scene, audio" in told
    assert (
        "95% confidence" in told
        and "±.10" in told
        and f"(seed {settings.seed}; simulated people" in told
    )
    changed = settings.association.model_copy(
        update={"confidence": 0.9, "alpha": 0.1, "smallest_effect": 0.2}
        | {"correction": "holm"}
    )
    changes = {"association": changed, "seed": 7, "modalities": ["face", "text"]}
    told = pair_export.methods_paragraph(found[2], settings.model_copy(update=changes))
    assert "from face and text by" in told and "Holm's procedure" in told
    assert "90% confidence" in told and "below .10" in told and "±.20" in told
    assert "seed 7" in told


class TestLatex:
    def test_rows_and_rules(self, frame):
        text = pair_export.latex(frame, "All of it", "N = 3.")
        assert "\\caption{All of it}" in text and "95\\% CI" in text
        assert text.count("\\\\\n") == 31
        assert "Anger & Openness & $-$.30 & [$-$" in text
        assert all(f"\\{rule}" in text for rule in ("toprule", "midrule", "bottomrule"))
        assert text.index("Note.") < text.index("\\end{table}")

    def test_what_is_special_is_escaped(self, frame):
        text = pair_export.latex(frame.head(1), SPECIAL, SPECIAL)
        escaped = "$\\pm$5\\% of \\{a\\} \\& b\\_c $<$ d\\textbackslash{}e $-$ f -- g"
        assert text.count(escaped) == 2


class TestRtf:
    def test_cells_and_rules(self, frame):
        text = pair_export.rtf(frame, "All of it", "N = 3.")
        assert text.startswith("{\\rtf1") and text.endswith("}\n") and text.isascii()
        assert text.count("\\row") == text.count("\\trowd") == 31
        assert text.count("{") == text.count("}")
        head, *rows = text.split("\\trowd")[1:]
        assert head.count("\\clbrdrt") == head.count("\\clbrdrb") == 6
        ruled = [row.count("\\clbrdrb") for row in rows]
        assert ruled == [0] * 29 + [6]
        cells = re.findall(r"\\pard\\intbl (.*?)\\cell", rows[0])
        assert cells[:3] == ["Anger", "Openness", "\\u8722\\'3f.30"]

    def test_what_is_special_is_escaped(self, frame):
        text = pair_export.rtf(frame.head(1), SPECIAL, "")
        assert (
            "\\u177\\'b15% of \\{a\\} & b_c < d\\\\e \\u8722\\'3f f \\u8211\\'96 g"
            in text
        )


class TestPage:
    def test_cells_are_those_of_the_paper(self, frame):
        page = BeautifulSoup(pair_export.page(frame, "All", "N = 3."), "html.parser")
        heads = [each.text for each in page.select("th")]
        assert heads == list(frame) and page.select_one("th i").text == "r"
        rows = [[cell.text for cell in row.select("td")] for row in page.select("tr")]
        assert rows[1:] == frame.to_numpy().tolist()
        assert page.text.rstrip().endswith("Note. N = 3.")

    def test_what_is_special_is_escaped(self, frame):
        page = pair_export.page(frame.head(1), SPECIAL, SPECIAL)
        assert page.count("±5% of {a} &amp; b_c &lt; d\\e − f – g") == 3


class TestExports:
    def test_all_files_are_there_and_agree(self, found, settings):
        made = pair_export.exports(found[2], settings)
        assert isinstance(made, Downloads)
        kinds = ("rtf", "tex", "html", "csv")
        names = [f"associations.{kind}" for kind in kinds]
        assert list(made.files) == [*names, "codebook.csv", "methods.txt"]
        table = pd.read_csv(io.StringIO(made.files["associations.csv"].text))
        np.testing.assert_allclose(table["r"], found[2]["r"])
        codes = csv.DictReader(io.StringIO(made.files["codebook.csv"].text))
        assert [code["column"] for code in codes] == list(table)
        assert "Study simulated" in made.files["associations.tex"].text

    def test_without_pairs_nothing_is_invented(self, found, settings):
        made = pair_export.exports(found[2].head(0), settings)
        assert isinstance(made, Message) and "nothing to report" in made.text
