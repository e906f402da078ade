import pandas as pd
import pytest
import torch

from sslmepr.explanation.attention import (
    contributions,
    graph_attention_table,
    query_attention_table,
)
from sslmepr.models.fusion import FusionOutput

MODALITIES, TASKS = ["face", "text"], ["emotion", "personality"]


@pytest.fixture
def output():
    """Two clips, of which the second has no face."""
    graph = [[[0.75, 0.25], [0.5, 0.5]], [[0.0, 0.0], [0.0, 1.0]]]
    query = [[[0.125, 0.875], [0.25, 0.75]], [[0.0, 1.0], [0.0, 1.0]]]
    return FusionOutput(
        *(None, None, torch.tensor(graph), torch.tensor(query)),
        *(torch.empty(0), torch.empty(0)),
    )


def test_graph_attention_has_a_row_per_pair_of_present_modalities(output):
    assert graph_attention_table(output, ["a", "b"], MODALITIES).values.tolist() == [
        ["a", "face", "face", 0.75],
        ["a", "face", "text", 0.25],
        ["a", "text", "face", 0.5],
        ["a", "text", "text", 0.5],
        ["b", "text", "text", 1.0],
    ]


def test_query_attention_has_a_row_per_task_and_present_modality(output):
    table = query_attention_table(output, ["a", "b"], MODALITIES, TASKS)
    assert table.values.tolist() == [
        ["a", "emotion", "face", 0.125],
        ["a", "emotion", "text", 0.875],
        ["a", "personality", "face", 0.25],
        ["a", "personality", "text", 0.75],
        ["b", "emotion", "text", 1.0],
        ["b", "personality", "text", 1.0],
    ]


def test_contributions_are_summed_over_pathways_and_share_the_absolute_sum():
    rows = [
        ("a", "anger", "face", "embedding", "emotion", 0, 0.5),
        ("a", "anger", "face", "prediction", "emotion", 0, -0.125),
        ("a", "anger", "face", "embedding", "personality", 0, 0.125),
        ("a", "anger", "text", "embedding", "emotion", 0, -0.5),
        ("b", "anger", "text", "embedding", "emotion", 0, 0.0),
    ]
    columns = ["clip_id", "target", "modality", "pathway", "half", "index"]
    table = contributions(pd.DataFrame(rows, columns=[*columns, "attribution"]))
    assert table["attribution"].tolist() == [0.375, 0.125, -0.5, 0.0]
    assert table["share"].tolist()[:3] == [0.375, 0.125, 0.5]
    assert table["share"].isna().tolist() == [False, False, False, True]
