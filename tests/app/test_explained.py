import re

import numpy as np
import pandas as pd

from sslmepr.app.explained import _halves, _moment_table, _region_table
from sslmepr.report.tables import MISSING


def test_moments_are_summed_by_tenths_of_the_time():
    audio = pd.DataFrame({"modality": "audio", "step": range(20), "attribution": 0.01})
    face = pd.DataFrame({"modality": "face", "step": [0, 1], "attribution": [0.5, -1]})
    text = pd.DataFrame({"modality": "text", "step": [0], "attribution": [9.0]})
    table = _moment_table(pd.concat([audio, face, text])).frame
    assert table.columns.tolist() == ["time", "face", "audio"]
    assert table["time"].tolist()[::9] == ["0 to 10 %", "90 to 100 %"]
    assert table["audio"].tolist() == ["0.020"] * 10
    # of two frames, one stands for the first half and one for the second
    there = {2: "0.500", 7: "−1.000"}
    assert table["face"].tolist() == [there.get(place, MISSING) for place in range(10)]


def test_regions_lie_in_the_table_as_in_the_picture():
    places = np.arange(9)
    regions = pd.DataFrame({"modality": "face", "row": places // 3})
    regions = regions.assign(column=places % 3, attribution=places / 10)
    table = _region_table(regions.sample(frac=1, random_state=0)).frame
    assert table.to_numpy().tolist() == [
        ["face", 1, "0.000", "0.100", "0.200"],
        ["face", 2, "0.300", "0.400", "0.500"],
        ["face", 3, "0.600", "0.700", "0.800"],
    ]
    assert table.columns[2:].tolist() == ["column 1", "column 2", "column 3"]


def test_the_scale_of_the_colours_goes_to_the_largest_number():
    values = pd.DataFrame({"target": ["fear", "openness"], "attribution": [-2.0, 0.1]})
    values = values.assign(modality="face", half="emotion")
    _, content, _ = _halves(values)
    keys = re.findall(r'<p class="key">(.*?)</p>', content)
    assert [re.findall(r">([−\d.]+)<", each) for each in keys] == [
        ["−2.00", "−1.00", "0.00", "1.00", "2.00"],
        ["−0.10", "−0.05", "0.00", "0.05", "0.10"],
    ]
    (fear,) = re.findall(r'<td style="([^"]*)">−2.00', content)
    assert f'style="{fear}"></span>−2.00' in keys[0]
