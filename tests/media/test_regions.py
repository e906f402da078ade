import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sslmepr.media.regions import (
    GREY,
    crop_regions,
    find_regions,
    follow_person,
    lacking_regions,
    person_region,
)

HEIGHT, WIDTH = 100, 160
FACE = np.array([60.0, 20, 80, 45, 0.9])
NONE = np.zeros((0, 5))


def images(frames):
    ramp = np.arange(frames * HEIGHT * WIDTH * 3) % 251
    return ramp.reshape(frames, HEIGHT, WIDTH, 3).astype(np.uint8)


def provenances(regions, modality):
    return regions.loc[regions["modality"] == modality, "provenance"].tolist()


def test_detected_face_and_the_person_around_it():
    regions = find_regions(images(1), [FACE[None]])
    face, body, scene = regions.itertuples(index=False)
    assert face[1:] == ("face", "detected", 60, 20, 80, 45, 0.9, 1)
    # 1.75 face widths to each side, 0.6 and 6 face heights up and down, then cut
    assert body[1:7] == ("body", "person", 25, 5, 115, 100)
    assert scene[1:7] == ("scene", "full_frame", 0, 0, WIDTH, HEIGHT)
    assert np.isnan(body.score) and np.isnan(scene.score)


def test_a_short_gap_is_bridged_but_never_called_detected():
    later = FACE + np.array([8, 4, 8, 4, 0])
    found = [FACE[None], NONE, later[None], NONE, NONE, NONE, later[None]]
    regions = find_regions(images(7), found)
    expected = ["detected", "person", "detected", *["full_frame"] * 3, "detected"]
    assert provenances(regions, "face") == expected
    frame = regions[regions["frame"] == 1].set_index("modality")
    middle = person_region((FACE + later) / 2, HEIGHT, WIDTH)
    sides = ["left", "top", "right", "bottom"]
    np.testing.assert_allclose(frame.loc["body", sides].astype(float), middle)
    np.testing.assert_allclose(frame.loc["face", sides].astype(float), middle)
    assert np.isnan(frame.loc["face", "score"])


def test_without_a_face_the_frame_stands_in():
    regions = find_regions(images(2), [NONE, NONE])
    assert set(regions["provenance"]) == {"full_frame"}
    crops = crop_regions(images(2), regions, mask_person=True)
    for modality in ("face", "body", "scene"):
        np.testing.assert_array_equal(crops[modality][1], images(2)[1])


def test_the_same_person_is_followed_past_a_passer_by():
    passer_by = np.array([100.0, 10, 140, 60, 0.99])  # larger, in one frame only
    steps = [FACE + np.array([2 * i, 0, 2 * i, 0, 0]) for i in range(4)]
    found = [step[None] for step in steps]
    found[2] = np.stack([passer_by, steps[2]])
    track = follow_person(found)
    assert sorted(track) == [0, 1, 2, 3]
    np.testing.assert_array_equal(track[2], steps[2])


def test_two_people_keep_their_identity_when_they_swap_rank():
    left, right = np.array([10.0, 10, 40, 50, 0.9]), np.array([100.0, 10, 128, 48, 0.9])
    found = [np.stack([left, right]), np.stack([right, left]), np.stack([right, left])]
    track = follow_person(found)
    assert all(face[0] == 10 for face in track.values())
    assert follow_person([NONE, NONE]) == {}


def test_mask_hides_the_person_in_the_scene_alone():
    pictures = images(1)
    regions = find_regions(pictures, [FACE[None]])
    masked = crop_regions(pictures, regions, mask_person=True)
    plain = crop_regions(pictures, regions, mask_person=False)
    assert (masked["scene"][0][5:100, 25:115] == GREY).all()
    np.testing.assert_array_equal(masked["scene"][0][:, :25], pictures[0][:, :25])
    np.testing.assert_array_equal(plain["scene"][0], pictures[0])
    np.testing.assert_array_equal(masked["face"][0], pictures[0][20:45, 60:80])
    np.testing.assert_array_equal(pictures, images(1))  # the input is left alone


@settings(max_examples=40, deadline=None)
@given(
    left=st.floats(0, WIDTH - 0.1),
    top=st.floats(0, HEIGHT - 0.1),
    width=st.floats(0.1, WIDTH),
    height=st.floats(0.1, HEIGHT),
)
def test_crops_are_never_empty(left, top, width, height):
    box = [left, top, min(left + width, WIDTH), min(top + height, HEIGHT), 0.9]
    regions = find_regions(images(1), [np.array([box])])
    assert (regions["right"] <= WIDTH).all() and (regions["bottom"] <= HEIGHT).all()
    for crops in crop_regions(images(1), regions, mask_person=True).values():
        assert all(crop.size for crop in crops)


def test_score_of_a_detection_is_kept():
    regions = find_regions(images(1), [FACE[None]])
    assert regions.loc[0, "score"] == pytest.approx(0.9)


def test_every_frame_tells_how_many_faces_it_shows():
    other = np.array([120.0, 10, 140, 40, 0.8])
    found = [FACE[None], np.stack([FACE, other]), NONE]
    assert (
        find_regions(images(3), found)["faces"].tolist() == [1] * 3 + [2] * 3 + [0] * 3
    )


def test_a_clip_without_anybody_lacks_face_and_body():
    nobody = find_regions(images(2), [NONE, NONE])
    reasons = {"face": "no person was found", "body": "no person was found"}
    assert lacking_regions(nobody, mask_person=True) == reasons
    assert lacking_regions(nobody, mask_person=False) == reasons
    somebody = find_regions(images(4), [FACE[None], NONE, NONE, NONE])
    assert lacking_regions(somebody, mask_person=True) == {}


def test_a_head_at_the_lower_edge_shows_no_body():
    low = np.array([60.0, 66, 80, 91, 0.9])  # 9 px below a face of 25: less than 0.4
    alone = {"body": "only the head is in the picture"}
    regions = find_regions(images(2), [low[None], FACE[None]])
    assert lacking_regions(regions, mask_person=True) == alone
    # frames without a face do not count
    regions = find_regions(images(4), [low[None], NONE, NONE, NONE])
    assert lacking_regions(regions, mask_person=False) == alone
    higher = low - (0, 2, 0, 2, 0)  # 11 px
    regions = find_regions(images(2), [higher[None], higher[None]])
    assert lacking_regions(regions, mask_person=True) == {}


def test_a_close_up_leaves_no_scene_to_be_seen():
    # 1.75 widths to each side and six heights down cover all; above it is cut
    close = np.array([50.0, 10, 110, 60, 0.9])
    covered = {"scene": "the person covers the whole picture"}
    regions = find_regions(images(2), [close[None], close[None]])
    assert lacking_regions(regions, mask_person=True) == covered
    assert lacking_regions(regions, mask_person=False) == {}  # a scene with the person
    # half of the frames, and less
    distant = find_regions(images(2), [close[None], FACE[None]])
    assert lacking_regions(distant, mask_person=True) == covered
    distant = find_regions(images(3), [close[None], FACE[None], FACE[None]])
    assert lacking_regions(distant, mask_person=True) == {}
