import numpy as np
import pandas as pd

from sslmepr.explanation.words import Clause, clauses, left_out, pointing_game
from sslmepr.simulation import words


def test_clauses_are_recognised_with_links_and_capitals():
    said = "So, I feel a little down, then I was not bothered, and not a word."
    assert clauses(said) == [
        Clause("So", None, 0),
        Clause("I feel a little down", "sadness", 1),
        Clause("then I was not bothered", "anger", -1),
        Clause("and not a word", None, 0),
    ]
    assert clauses("I forgave them completely.")[0][1:] == ("anger", -2)


def test_every_planted_clause_of_a_simulated_transcript_is_recognised():
    rng = np.random.default_rng(0)
    for seed in range(50):
        controls = 3 * rng.standard_normal(len(words.TEXT_CONTROLS))
        strongest = words.TEXT_CONTROLS[int(np.abs(controls).argmax())]
        phrases = words.compose(controls, "vlog", seed)
        found = clauses(words.transcript(phrases))
        assert len(found) == len(phrases)
        mine = [each for each in found if each.latent == strongest]
        assert len(mine) == 1
        sign = np.sign(controls[words.TEXT_CONTROLS.index(strongest)])
        assert np.sign(mine[0].level) == sign


def test_texts_without_each_piece_are_sentences():
    assert left_out(["So", "it rained", "then I left"], ", ") == [
        "So, it rained, then I left.",
        "It rained, then I left.",
        "So, then I left.",
        "So, it rained.",
    ]
    assert left_out(["Well", "done."], " ") == ["Well done.", "Done.", "Well."]


def test_the_pointing_game_is_won_by_the_strongest_controls_clause():
    pieces = ["So", "I feel a little down", "I was not bothered"]
    effects = pd.DataFrame(
        [
            ("a", place, piece, target, value)
            for target, values in {
                "sadness": (0.0, 0.9, 0.1),
                "anger": (0.2, -0.1, -0.3),
            }.items()
            for place, (piece, value) in enumerate(zip(pieces, values, strict=True))
        ],
        columns=["clip_id", "place", "piece", "target", "attribution"],
    )
    b = effects.assign(
        clip_id="b", attribution=effects["attribution"].where(lambda v: v > -0.3, 0.3)
    )
    silent = effects.assign(clip_id="c", piece="So")
    controls = pd.DataFrame(
        {"sadness": [2.0, 0.5, 0.0], "anger": [-1.0, -1.5, 0.0]}, index=list("abc")
    )
    table = pointing_game(pd.concat([effects, b, silent]), controls)
    assert table.values.tolist() == [
        ["a", "sadness", "emotion, present", 1.0, 1 / 3],
        # Leaving out the denial lowers anger: the model took it for anger.
        ["b", "anger", "emotion, denied", 0.0, 1 / 3],
    ]
