from drawn_pairs import study
from drawn_scores import SETTINGS

from sslmepr.association.planning import MEAN_OF_TRAITS, chosen, plan
from sslmepr.report.plan_table import plan_table


def test_questions_are_told_with_their_sizes_and_clips():
    _, known, _ = study()
    wished = plan(known, SETTINGS, 0.2, 0.8, 0.05)
    table = plan_table(wished)
    assert table["question"].unique().tolist() == [
        "Find a pair with r = ±.20",
        "Find a mean over the traits of ±.20",
        "Call a pair absent (surely within ±.10)",
        "Measure a pair to ±.05",
    ]
    assert list(table)[3:] == [
        "Rated for emotions",
        "Rated for traits",
        "Rated for both, held out",
    ]
    hardest = wished[(wished["case"] == "hardest") & (wished["corpus"] == "emotion")]
    for (_, row), needed in zip(
        table[1::2].iterrows(), hardest.itertuples(), strict=True
    ):
        assert row["Rated for emotions"] == f"{needed.clips:,} ({needed.speakers:,})"
        assert row["times this study"] == f"{needed.times:.2f}"
        assert row["case"].startswith("hardest: surprise")
        assert MEAN_OF_TRAITS not in row["case"]


def test_of_one_pair_the_case_is_named_and_of_none_there_is_no_row():
    _, known, _ = study()
    one = plan(chosen(known, "fear", "emotional_stability"), SETTINGS, 0.2, 0.8)
    table = plan_table(one)
    assert table["case"].unique() == ["chosen: fear with emotional stability"]
    assert plan_table(plan(known.head(0), SETTINGS, 0.2, 0.8)).empty
