"""A page's own explorer of pairs: choose an emotion and a trait, see the answer.

All answers are in the page, and a small script shows the one that is chosen. Without
the script, the table of all pairs stands there.
"""

import html
import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from sslmepr.params.analysis import Association
from sslmepr.report.apa import MINUS, apa_number
from sslmepr.report.chapter_tables import Message
from sslmepr.report.pair_findings import all_pairs, told_pairs
from sslmepr.report.tables import Table
from sslmepr.report.words import plain, pretty

SCRIPT = Path(__file__).with_suffix(".js")

_STYLE = """<style>
.explorer .choice{display:flex;flex-wrap:wrap;gap:.6em 1.2em;margin:.4em 0 .8em}
.explorer [hidden]{display:none}
.explorer label{display:flex;flex-wrap:wrap;align-items:center;gap:.4em;margin:0}
.explorer select,.explorer button{font:inherit;color:inherit;background:transparent;
border:1px solid #888;border-radius:.3em;padding:.2em .6em;max-width:100%}
.explorer option{color:#222832;background:#fff}
.explorer select:focus-visible,.explorer button:focus-visible,
.explorer summary:focus-visible{outline:2px solid currentColor;outline-offset:2px}
.explorer p{margin:.5em 0}
.explorer .said{font-size:1.15em;min-height:1.6em}
.explorer .scale{position:relative;height:4.2em;margin:.8em 1.4em .2em}
.explorer .scale>*{position:absolute}
.explorer .scale>.small{top:0;height:2.6em;background:#8884}
.explorer .scale>.zero{top:0;height:2.6em;left:50%;border-left:1px dashed currentColor}
.explorer .scale>.axis{top:2.6em;left:0;right:0;border-top:1px solid #888}
.explorer .scale>.tick{top:2.8em;transform:translateX(-50%);font-size:.9em}
.explorer .scale>.range{top:1.25em;height:0;border-top:3px solid currentColor}
.explorer .scale>.estimate{top:1.3em;width:.9em;height:.9em;border-radius:50%;
transform:translate(-50%,-50%);background:var(--pst-color-primary,currentColor);
border:2px solid currentColor}
.explorer .key{font-size:.9em}
.explorer .means{max-width:24em;margin:.8em 0}
.explorer .means svg{display:block;width:100%;height:auto;fill:currentColor}
.explorer .means line{stroke:#888}
.explorer .report{border-left:3px solid #888;padding-left:.8em}
.explorer .all{margin:1em 0}
.explorer .all>div{overflow-x:auto}
.explorer summary{cursor:pointer}
@media print{.explorer .choice,.explorer .copy{display:none}}
</style>"""


class Explorer:
    """What is told of pairs, one at a time.

    Parameters
    ----------
    told : DataFrame
        From `sslmepr.report.pair_findings.told_pairs`.
    shown : DataFrame
        From `sslmepr.report.pair_findings.all_pairs`.
    effect : float
        Smallest effect, which the picture shades.
    confidence : float
        Of the intervals.
    first : (str, str)
        Emotion and trait that are shown at first.
    binned : DataFrame
        From `sslmepr.report.binned_means.binned_means`.

    Raises
    ------
    ValueError
        If `first` is not among the pairs.
    """

    def __init__(
        self,
        told: pd.DataFrame,
        shown: pd.DataFrame,
        effect: float,
        confidence: float,
        first: tuple[str, str],
        binned: pd.DataFrame,
    ):
        if first not in set(zip(told["emotion"], told["trait"], strict=True)):
            raise ValueError(f"first: {' with '.join(first)} is no pair of this table")
        self.told, self.shown, self.first = told, shown, first
        self.effect, self.confidence = effect, confidence
        self.binned = binned

    @property
    def reach(self) -> float:
        """End of the scale: the longest interval, rounded up to a tenth."""
        longest = self.told[["low", "high"]].abs().max(axis=None)
        return float(np.ceil(10 * max(longest, self.effect) + 1e-9) / 10)

    def records(self) -> list[dict]:
        """The pairs as the script reads them, with words for the picture as well."""
        rows = self.told.round({"r": 4, "low": 4, "high": 4}).to_dict("records")
        dots = self._dots()
        return [
            row
            | {"drawn": self._drawn(row)}
            | {"dots": dots[row["emotion"], row["trait"]]}
            | {"dotted": self._dotted(row)}
            for row in rows
        ]

    def _dots(self) -> dict:
        """Places of the binned means of each pair in the drawing, on one scale."""
        means = self.binned[["predicted", "rated"]]
        across, up = means.abs().max() * 1.1
        x = WIDE / 2 * (1 + means["predicted"] / across)
        y = HIGH / 2 * (1 - means["rated"] / up)
        places = self.binned[[*_NAMES]].assign(x=x.round(1), y=y.round(1))
        return {
            pair: part[["x", "y"]].to_numpy().tolist()
            for pair, part in places.groupby([*_NAMES])
        }

    def _dotted(self, row: dict) -> str:
        """What the drawing of means shows."""
        emotion, trait = plain(row["emotion"]), plain(row["trait"])
        mine = (self.binned[[*_NAMES]] == [row[name] for name in _NAMES]).all(axis=1)
        means = self.binned.loc[mine, "rated"]
        return (
            f"Each dot is one of {len(means)} equal parts of the clips that are rated "
            f"for traits, from the least to the most {emotion} that was read from "
            f"them; its height is their mean {trait}, from {means.iloc[0]:+.2f} to "
            f"{means.iloc[-1]:+.2f} standard deviations. What leaks between cues is "
            "in it; the estimate above has it taken out."
        ).replace("-", MINUS)

    def _drawn(self, row: dict) -> str:
        r, low, high = (apa_number(row[name]) for name in ("r", "low", "high"))
        return (
            f"Correlation of {plain(row['emotion'])} with {plain(row['trait'])}: {r}, "
            f"interval from {low} to {high}; correlations smaller than "
            f"±{apa_number(self.effect)} are shaded."
        )

    def _repr_html_(self) -> str:
        # Within a script, only "</" could end it early.
        pairs = json.dumps(self.records(), ensure_ascii=False).replace("</", "<\\/")
        emotions, traits = (dict.fromkeys(self.told[name]) for name in _NAMES)
        percent = f"{100 * self.confidence:g} %"
        return (
            f'{_STYLE}<div class="explorer" data-reach="{self.reach:g}">'
            f'<script type="application/json" class="pairs">{pairs}</script>'
            '<div class="choice" hidden>'
            f"{_select('Emotion', emotions, self.first[0])}"
            f"{_select('Trait', traits, self.first[1])}</div>"
            '<div class="answer" hidden><p class="said" aria-live="polite"></p>'
            f'<div class="scale" role="img">{self._scale()}</div>'
            f'<p class="key">Dot: estimate. Line: {percent} interval. Shaded: '
            f"smaller than the smallest effect that matters, "
            f"±{apa_number(self.effect)}.</p>"
            '<p class="needed"></p><p class="halo"></p><figure class="means">'
            f'<svg viewBox="0 0 {WIDE} {HIGH}" role="img">'
            f'<line x1="0" x2="{WIDE}" y1="{HIGH / 2:g}" y2="{HIGH / 2:g}"/>'
            f'<line x1="{WIDE / 2:g}" x2="{WIDE / 2:g}" y1="0" y2="{HIGH}"/>'
            '<g class="dots"></g></svg><figcaption class="dotted key"></figcaption>'
            "</figure><p>To report it:</p>"
            '<p class="report"></p><button type="button" class="copy">'
            "Copy this sentence</button></div>"
            '<details class="all" open><summary>'
            f"All {len(self.told)} pairs</summary>"
            f"<div>{Table(self.shown)._repr_html_()}</div></details>"
            f"<script>{{{SCRIPT.read_text(encoding='utf-8')}}}</script></div>"
        )

    def _scale(self) -> str:
        share = 50 * self.effect / self.reach
        middle = (0.0,) if share > 6 else ()  # else, labels would touch on a phone
        places = (-self.reach, -self.effect, *middle, self.effect, self.reach)
        ticks = "".join(
            f'<span class="tick" style="left:{50 + 50 * r / self.reach:g}%">'
            f"{apa_number(r) if r else '0'}</span>"
            for r in places
        )
        return (
            f'<div class="small" style="left:{50 - share:g}%;width:{2 * share:g}%">'
            '</div><div class="zero"></div><div class="axis"></div>'
            f'{ticks}<div class="range"></div><div class="estimate"></div>'
        )

    def __repr__(self) -> str:
        return self.shown.to_string(index=False)


_NAMES = ("emotion", "trait")

WIDE, HIGH = 300, 130
"""Of the drawing of means."""


def _select(label: str, names: Iterable[str], first: str) -> str:
    options = "".join(
        f'<option value="{name}"{" selected" if name == first else ""}>'
        f"{html.escape(pretty(name))}</option>"
        for name in names
    )
    return f"<label>{label} <select>{options}</select></label>"


def explorer(
    pairs: pd.DataFrame,
    precision: pd.DataFrame,
    settings: Association,
    first: tuple[str, str],
    primary: pd.DataFrame,
    halo: pd.DataFrame,
    binned: pd.DataFrame,
    doubt: str = "",
) -> Explorer | Message:
    """The explorer of a study, or a sentence where there is nothing to explore.

    Parameters
    ----------
    pairs : DataFrame
        From `sslmepr.report.pair_export.tidy_export`.
    precision : DataFrame
        From `sslmepr.association.planning.read_precision`.
    settings : Association
    first : (str, str)
        As of `Explorer`.
    primary : DataFrame
        From `sslmepr.association.preregistration.read_primary`.
    halo : DataFrame
        emotion, trait and robustness, of `sslmepr.association.halo.sensitivity`.
    binned : DataFrame
        From `sslmepr.report.binned_means.binned_means`.
    doubt : str
        As of `sslmepr.report.pair_findings.told_pairs`.

    Returns
    -------
    Explorer or Message
    """
    if pairs.empty:
        return Message("There is no pair to explore.")
    told = told_pairs(pairs, precision, settings, primary, halo, doubt)
    shown = all_pairs(pairs, precision, settings, primary)
    effect, confidence = settings.smallest_effect, settings.confidence
    return Explorer(told, shown, effect, confidence, first, binned)
