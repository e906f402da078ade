import pandas as pd

from sslmepr.evaluation.component_gains import component_gains
from sslmepr.params.training import Variant

VARIANTS = {
    "multitask": Variant(),
    "emotion_only": Variant(tasks=["emotion"]),
    "no_experts": Variant(without=["product_of_experts", "contrary_words"]),
    "with_both": Variant(adding=["graph_attention", "gradnorm"]),
    "as_published": Variant(as_published=True),
    "face": Variant(modalities=["face"]),
}


def differences():
    rows = [
        ("multitask", 0.0, 0.0, 0.0, "equivalent"),
        ("emotion_only", -0.01, -0.03, 0.01, "undecided"),
        ("no_experts", -0.04, -0.06, -0.03, "worse"),
        ("with_both", -0.02, -0.03, -0.01, "worse"),
        ("as_published", -0.1, -0.2, -0.05, "worse"),
        ("face", -0.1, -0.2, -0.05, "worse"),
        ("linear_fusion", -0.02, -0.03, -0.01, "worse"),
    ]
    names = ["variant", "difference", "low", "high", "verdict"]
    rest = {"metric": "CCC", "interval": "cluster_t", "n": 9, "n_speakers": 4}
    return pd.DataFrame(rows, columns=names).assign(**rest, n_seeds=3)


def test_leaving_out_is_turned_round_and_adding_is_not():
    found = component_gains(differences(), VARIANTS).set_index("component")
    chosen = found[["added", "gain", "low", "high", "verdict"]].to_numpy().tolist()
    names = ["both_tasks", "product_of_experts", "all of them", "linear_fusion"]
    assert list(found.index) == names
    assert chosen == [
        [False, 0.01, -0.01, 0.03, "undecided"],
        [False, 0.04, 0.03, 0.06, "better"],
        [True, -0.02, -0.03, -0.01, "worse"],
        [False, 0.02, 0.01, 0.03, "better"],
    ]


def test_without_differences_there_are_no_rows():
    some = component_gains(differences(), VARIANTS)
    none = component_gains(differences().head(0), VARIANTS)
    assert none.empty and list(none) == list(some)
