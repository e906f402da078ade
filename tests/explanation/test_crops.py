from types import SimpleNamespace

import numpy as np
import pandas as pd

from sslmepr.explanation.crops import hide, hide_regions


def test_each_region_is_hidden_once_in_all_frames():
    crops = np.full((2, 9, 12, 3), 200, np.uint8)
    average = np.arange(9 * 12 * 3, dtype=np.uint8).reshape(9, 12, 3) % 100
    hidden = hide(crops, average)
    assert hidden.shape == (10, 2, 9, 12, 3)
    assert (hidden[0] == crops).all()
    changed = (hidden[1:] != crops).any(axis=-1)
    assert (changed[:, 0] == changed[:, 1]).all()
    assert (changed[:, 0].sum(0) == 1).all()
    # The middle region of three rows of three: rows 3 to 5, columns 4 to 7.
    middle = hidden[5]
    assert (middle[:, 3:6, 4:8] == average[3:6, 4:8]).all()
    middle[:, 3:6, 4:8] = 200
    assert (middle == 200).all()


def test_a_clip_without_pictures_has_no_regions_and_spoils_no_table():
    chain = SimpleNamespace(stage2={})
    nothing = hide_regions(chain, 0, {"face": np.zeros((1, 6, 6, 3))}, {}, None)
    rows = pd.DataFrame({"attribution": np.ones(2, np.float32), "row": [0, 1]})
    assert len(nothing) == 0
    joined = pd.concat([nothing, rows])
    assert joined["attribution"].dtype == np.float32
