"""Associations as others take them: a tidy table, tables for papers, a paragraph."""

import html
import re
from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy import stats

import sslmepr
from sslmepr.association.grid import CELL
from sslmepr.association.planning import MEAN_OF_TRAITS
from sslmepr.association.probe_scores import FOLDS
from sslmepr.labels import SCORED_EMOTIONS, TRAITS
from sslmepr.params import Params
from sslmepr.params.analysis import Association
from sslmepr.report.apa import apa_number, counted, p_alone
from sslmepr.report.chapter_tables import Message
from sslmepr.report.downloads import Download, Downloads
from sslmepr.report.words import plain, pretty

CODEBOOK = {
    "emotion": "emotion, as people rated it in a clip: present or absent",
    "trait": "apparent trait of the Big Five, as people rated it from a clip",
    "r": "correlation of the latent emotion with the rated trait, -1 to 1",
    "error": "standard error of r, from influence functions summed by speaker",
    "low": "lower end of the confidence interval of r",
    "high": "upper end of the confidence interval of r",
    "r_label": "the same for presence of the emotion, as labelled: weaker than r by "
    "what a latent variable loses when it is cut in two",
    "r_label_error": "standard error of r_label",
    "r_label_low": "lower end of the confidence interval of r_label",
    "r_label_high": "upper end of the confidence interval of r_label",
    "p": "two-sided p-value of r = 0, not corrected, Student's t",
    "p_corrected": "p, corrected for all pairs as the methods paragraph says",
    "p_family": "p of the largest |t| of all pairs, by random signs of speakers",
    "p_equivalence": "p of two one-sided tests that |r| reaches the smallest effect",
    "verdict": "present, absent or undecided; the methods paragraph says when",
    "n": "clips of all corpora together",
    "n_crossed": "those that two sensors have: camera, microphone, words",
    "n_speakers": "people in these clips",
}
"""Column of the tidy table to its meaning."""

CORRECTIONS = {
    "fdr_bh": "the Benjamini–Hochberg procedure",
    "fdr_by": "the Benjamini–Yekutieli procedure",
    "holm": "Holm's procedure",
    "bonferroni": "Bonferroni's correction",
}
"""Methods of statsmodels' ``multipletests`` in words."""


def tidy_export(
    table: pd.DataFrame, precision: pd.DataFrame, settings: Association
) -> pd.DataFrame:
    """One row for each pair, with the columns of `CODEBOOK`.

    Parameters
    ----------
    table : DataFrame
        From `sslmepr.association.cross_table.read_table`, identified.
    precision : DataFrame
        From `sslmepr.association.planning.read_precision`.
    settings : Association

    Returns
    -------
    DataFrame
    """
    pairs = precision[precision["trait"] != MEAN_OF_TRAITS]
    error = (pairs["error"] ** 2).groupby([pairs[name] for name in CELL]).sum() ** 0.5
    told = table.merge(error.rename("error").reset_index(), on=CELL, validate="1:1")
    beyond = settings.smallest_effect - told["r"].abs()
    freedom = np.maximum(told["n_speakers"] - 1, 1)
    told["p_equivalence"] = stats.t.sf(beyond / told["error"], freedom)
    # Results of earlier versions are not on the scale of the labels.
    return told.reindex(columns=list(CODEBOOK))


def clips_of(pair: pd.Series) -> str:
    """Clips and people of a row of `tidy_export`, in words."""
    return counted(int(pair["n"]), int(pair["n_crossed"]), int(pair["n_speakers"]))


def codebook() -> pd.DataFrame:
    """What the columns of the tidy table mean: column, meaning."""
    return pd.DataFrame(CODEBOOK.items(), columns=["column", "meaning"])


def paper_table(pairs: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """The pairs as a paper prints them.

    Parameters
    ----------
    pairs : DataFrame
        From `tidy_export`.
    confidence : float

    Returns
    -------
    DataFrame
        Of text: Emotion (named once), Trait, r, the interval, p, Verdict.
    """
    repeated = pairs["emotion"].duplicated()
    ends = zip(pairs["low"].map(apa_number), pairs["high"].map(apa_number), strict=True)
    return pd.DataFrame(
        {
            "Emotion": pairs["emotion"].map(pretty).mask(repeated, ""),
            "Trait": pairs["trait"].map(pretty),
            "r": pairs["r"].map(apa_number),
            f"{100 * confidence:g}% CI": [f"[{low}, {high}]" for low, high in ends],
            "p": pairs["p_corrected"].map(p_alone),
            "Verdict": pairs["verdict"].map(pretty),
        }
    )


def title(study: str) -> str:
    """Title of the table of a study."""
    return f"Correlations of Emotions With Apparent Personality, Study {study}"


def note(pairs: pd.DataFrame, settings: Association, doubt: str = "") -> str:
    """Note below the table: what stands in it.

    Parameters
    ----------
    pairs : DataFrame
        From `tidy_export`.
    settings : Association
    doubt : str
        From `sslmepr.report.recorded_verdicts.caution`; stands at the end.
    """
    clips = clips_of(pairs.iloc[0])
    correction = CORRECTIONS.get(settings.correction, settings.correction)
    return (
        f"N = {clips}. CI = confidence interval. "
        f"p is corrected for {len(pairs)} tests by {correction}. Present: significant "
        f"at {apa_number(settings.alpha)}. Absent: smaller than "
        f"±{apa_number(settings.smallest_effect)} by two one-sided tests at "
        f"{apa_number(settings.alpha)}." + (doubt and f" {doubt}")
    )


def methods_paragraph(pairs: pd.DataFrame, params: Params, doubt: str = "") -> str:
    """How the associations were estimated, for the methods section of a paper.

    Parameters
    ----------
    pairs : DataFrame
        From `tidy_export`.
    params : Params
        Sections ``association``, ``modalities``, ``roles`` and the seed.
    doubt : str
        As of `note`.
    """
    settings, roles = params.association, params.roles
    clips = clips_of(pairs.iloc[0])
    correction = CORRECTIONS.get(settings.correction, settings.correction)
    names = [plain(each, "modality") for each in params.modalities]
    channels = f"{', '.join(names[:-1])} and {names[-1]}"
    corpora = dict.fromkeys([roles.emotion, roles.personality, roles.held_out])
    listed = "; ".join(plain(each, "corpus") for each in corpora)
    seeds = f"seed {params.seed}"
    if any(params.corpus[name].source == "simulated" for name in corpora):
        seeds += f"; simulated people from seed {params.simulation.seed}"
    return (
        f"Correlations of {len(SCORED_EMOTIONS)} emotions with {len(TRAITS)} apparent "
        f"traits were estimated from {clips} (corpora: "
        f"{listed}). Labels of emotions are those of the first corpus, labels of "
        "traits those of the second; no clip needs both. Scores of emotions and of "
        f"traits were predicted from {channels} by L2-penalised regressions, "
        f"cross-fitted in {FOLDS} groups of speakers. The covariances of these scores "
        "with emotions in the first corpus, with traits in the second, and with each "
        "other between modalities of different sensors (camera, microphone, words) "
        "in all clips determine the correlations of the labels (three-source "
        "estimator, least squares weighted under normal theory), so that cues which "
        "both kinds of scores read cancel. Scores were divided by how strongly they "
        "are carried in each corpus, as covariances of scores for the same task tell. "
        "Assumed are errors that are independent between sensors given the labels, "
        "linear regressions, and, up to these scales, one joint distribution in all "
        "corpora. Emotions are treated as latent normal variables. "
        f"{100 * settings.confidence:g}% confidence intervals come from influence "
        "functions summed by speaker, with Student's t. The "
        f"{len(pairs)} p-values were corrected by {correction}; a pair counts as "
        f"present if its corrected p is below {apa_number(settings.alpha)}, and as "
        "absent if two one-sided tests, each at "
        f"{apa_number(settings.alpha)}, show it to be smaller than "
        f"±{apa_number(settings.smallest_effect)}. Otherwise it is undecided. "
        f"Computed with sslmepr {sslmepr.__version__} ({seeds})."
        + (doubt and f" {doubt}")
    )


def latex(frame: pd.DataFrame, caption: str, note: str) -> str:
    """A table for LaTeX, with the rules of package booktabs.

    Parameters
    ----------
    frame : DataFrame
        From `paper_table`.
    caption, note : str
        Above and below it.
    """
    escaped = frame.map(_escaped)
    escaped.columns = _heads(frame, "\\textit{{{}}}", _escaped)
    body = escaped.style.hide(axis="index").to_latex(
        column_format="llrrrl", hrules=True, position="htbp", caption=_escaped(caption)
    )
    below = f"\\par\\smallskip\\footnotesize\\textit{{Note.}} {_escaped(note)}\n"
    return body.replace("\\end{table}", f"{below}\\end{{table}}")


def _heads(
    frame: pd.DataFrame, italic: str, escaped: Callable[[str], str]
) -> list[str]:
    """Column heads of a format, with the signs of statistics in its italics."""
    return [
        italic.format(name) if name in ("r", "p") else escaped(name) for name in frame
    ]


def _escaped(text: str) -> str:
    """Text with what LaTeX takes for commands, or lacks, written out."""
    return text.translate(_SPECIAL)


_SPECIAL = str.maketrans(
    {sign: f"\\{sign}" for sign in "%&_#${}"}
    | {"\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}"}
    | {"\N{MINUS SIGN}": "$-$", "±": "$\\pm$", "<": "$<$", ">": "$>$"}
    | {"\N{EN DASH}": "--"}
)


_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{caption}</title><style>
body{{font-family:"Times New Roman",serif}}table{{border-collapse:collapse}}
th,td{{padding:.2em .8em;text-align:left;font-weight:normal}}
thead th{{border-top:1px solid;border-bottom:1px solid}}
tbody tr:last-child td{{border-bottom:1px solid}}
</style></head><body><p><b>Table 1</b></p><p><i>{caption}</i></p>
<table><thead><tr>{heads}</tr></thead><tbody>
{rows}
</tbody></table><p><i>Note.</i> {note}</p></body></html>
"""
"""With the lines that the APA manual (7th ed.) has."""


def page(frame: pd.DataFrame, caption: str, note: str) -> str:
    """A table as a page of its own, which text processors open as well.

    Parameters
    ----------
    frame, caption, note
        As of `latex`.
    """
    heads = _heads(frame, "<i>{}</i>", html.escape)
    rows = [
        "".join(f"<td>{html.escape(each)}</td>" for each in row)
        for row in frame.to_numpy()
    ]
    return _PAGE.format(
        caption=html.escape(caption),
        heads="".join(f"<th>{head}</th>" for head in heads),
        rows="\n".join(f"<tr>{row}</tr>" for row in rows),
        note=html.escape(note),
    )


def rtf(frame: pd.DataFrame, caption: str, note: str) -> str:
    """A table for Word and other text processors, in the rich text format.

    Lines stand above and below the heads and below the last row, as the APA manual
    (7th ed.) has them.

    Parameters
    ----------
    frame, caption, note
        As of `latex`.
    """
    widths = np.cumsum([1500, 2400, 900, 1700, 1000, 1400])  # twentieths of a point
    heads = _heads(frame, "\\i {}\\i0", _rich)
    rows = [[_rich(each) for each in row] for row in frame.to_numpy()]
    lines = [_rich_row(heads, widths, "\\clbrdrt\\brdrs\\clbrdrb\\brdrs")]
    lines += [_rich_row(row, widths, "") for row in rows[:-1]]
    lines += [_rich_row(row, widths, "\\clbrdrb\\brdrs") for row in rows[-1:]]
    return (
        "{\\rtf1\\ansi\\deff0{\\fonttbl{\\f0 Times New Roman;}}\\f0\\fs24\n"
        f"\\pard\\b Table 1\\b0\\par\n\\pard\\sa120\\i {_rich(caption)}\\i0\\par\n"
        + "\n".join(lines)
        + f"\n\\pard\\sb120\\i Note.\\i0  {_rich(note)}\\par\n}}\n"
    )


def _rich_row(cells: list[str], widths: np.ndarray, rules: str) -> str:
    ends = "".join(f"{rules}\\cellx{width}" for width in widths)
    text = "".join(f"\\pard\\intbl {cell}\\cell" for cell in cells)
    return f"\\trowd\\trgaph70{ends}{text}\\row"


def _rich(text: str) -> str:
    """Text with what is special in rich text, and not ASCII, escaped."""
    text = re.sub(r"([\\{}])", r"\\\1", text)
    return "".join(c if c.isascii() else _rich_sign(c) for c in text)


def _rich_sign(sign: str) -> str:
    """A sign by its number, and what old readers show in its place."""
    return f"\\u{ord(sign)}\\'{sign.encode('cp1252', 'replace').hex()}"


def exports(
    pairs: pd.DataFrame, params: Params, doubt: str = ""
) -> Downloads | Message:
    """All files for a paper, or a sentence where there is nothing to report.

    Parameters
    ----------
    pairs : DataFrame
        From `tidy_export`.
    params : Params
        As of `methods_paragraph`, and the name of the study.
    doubt : str
        As of `note`.
    """
    if pairs.empty:
        return Message("There is nothing to report.")
    settings = params.association
    frame = paper_table(pairs, settings.confidence)
    printed = frame, title(params.study), note(pairs, settings, doubt)
    codes = codebook().to_csv(index=False)
    return Downloads(
        {
            "associations.rtf": Download("table for Word, in APA style", rtf(*printed)),
            "associations.tex": Download("table for LaTeX", latex(*printed)),
            "associations.html": Download("table as a page", page(*printed)),
            "associations.csv": Download("all numbers", pairs.to_csv(index=False)),
            "codebook.csv": Download("what the columns of these mean", codes),
            "methods.txt": Download(
                "paragraph for the methods section",
                methods_paragraph(pairs, params, doubt),
            ),
        }
    )
