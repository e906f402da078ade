import unicodedata

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from sslmepr.corpora.schema import CorpusError
from sslmepr.corpora.table import read_table
from sslmepr.labels import EMOTION_COLUMNS, TRAIT_COLUMNS
from sslmepr.params.corpora import TableCorpus

SHARES = {"train": 0.5, "dev": 0.25, "test": 0.25}


def corpus(**changes):
    settings = {"source": "table", "path": ".", "table": "ratings.csv", "split": SHARES}
    return TableCorpus(**settings | changes)


def write(folder, name="ratings.csv", **columns):
    table = pd.DataFrame(columns)
    path = folder / name
    {".csv": table.to_csv, ".xlsx": table.to_excel, ".parquet": table.to_parquet}[
        path.suffix
    ](path, index=False)
    for media in columns.get("file", []):
        if isinstance(media, str):
            (folder / media).touch()


def test_columns_are_mapped_and_scales_brought_to_0_to_1(tmp_path):
    write(
        tmp_path,
        label=["x", "y", "z"],
        who=[7, 7, 12],
        file=["a é.mp4", "b.wav", None],
        said=["Hello", " ", "NA?"],
        **{name.upper(): [1, 7, 4] for name in TRAIT_COLUMNS},
    )
    columns = {"clip_id": "label", "speaker_id": "who", "media": "file"}
    columns |= {"transcript": "said"} | {name: name.upper() for name in TRAIT_COLUMNS}
    given = corpus(columns=columns, scales={"personality": [1, 7]})
    table = read_table(tmp_path, given, 0)
    assert table["clip_id"].tolist() == ["x", "y", "z"]
    assert table["speaker_id"].tolist() == ["7", "7", "12"]
    assert table["media"].fillna("").tolist() == ["a é.mp4", "b.wav", ""]
    assert table["transcript"].fillna("").tolist() == ["Hello", "", "NA?"]
    for name in TRAIT_COLUMNS:
        assert table[name].tolist() == [0, 1, 0.5]
    assert table[list(EMOTION_COLUMNS)].isna().all(axis=None)
    assert table["split"].iloc[0] == table["split"].iloc[1]


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".parquet"])
def test_without_labels_clips_are_only_predicted(tmp_path, suffix):
    write(tmp_path, f"x{suffix}", file=["b.mp4", "a.mp4"])
    given = corpus(table=f"x{suffix}", columns={"media": "file"})
    table = read_table(tmp_path, given, 0)
    assert table["clip_id"].tolist() == ["b.mp4", "a.mp4"]
    assert table["speaker_id"].tolist() == ["b.mp4", "a.mp4"]
    assert table[[*EMOTION_COLUMNS, *TRAIT_COLUMNS]].isna().all(axis=None)


def test_neutral_is_what_remains_where_nobody_asked_for_it(tmp_path):
    scored = EMOTION_COLUMNS[1:]
    columns = {name: [1.0, 1.0, np.nan] for name in scored}
    columns["emotion_fear"] = [1.0, 2.5, np.nan]
    write(tmp_path, clip_id=["a", "b", "c"], transcript=["x"] * 3, **columns)
    table = read_table(tmp_path, corpus(scales={"emotion": [1, 4]}), 0)
    assert table["emotion_neutral"].fillna(-1).tolist() == [1, 0, -1]
    assert table["emotion_fear"].fillna(-1).tolist() == [0, 0.5, -1]


def test_speakers_are_dealt_out_alike_whoever_else_is_there(tmp_path):
    people = [f"p{n}" for n in range(400)]
    clips = [f"{name}-{n}" for name in people for n in (0, 1)]
    write(tmp_path, clip_id=clips, speaker_id=np.repeat(people, 2), transcript=clips)
    table = read_table(tmp_path, corpus(), 3)
    shares = table["split"].value_counts(normalize=True)
    for name, share in SHARES.items():
        assert shares[name] == pytest.approx(share, abs=0.07)
    assert (table.groupby("speaker_id")["split"].nunique() == 1).all()
    write(
        tmp_path,
        clip_id=clips[6:],
        speaker_id=np.repeat(people, 2)[6:],
        transcript=clips[6:],
    )
    fewer = read_table(tmp_path, corpus(), 3)
    assert fewer["split"].tolist() == table["split"].tolist()[6:]
    assert (
        read_table(tmp_path, corpus(), 4)["split"].tolist() != fewer["split"].tolist()
    )


def test_a_split_that_is_given_is_kept(tmp_path):
    write(tmp_path, clip_id=["a", "b"], split=["test", "train"], transcript=["x", "y"])
    assert read_table(tmp_path, corpus(), 0)["split"].tolist() == ["test", "train"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"table": "gone.csv"}, "gone.csv: there is no such file"),
        ({"table": "x.ods"}, "must end in one of .csv, .xlsx, .parquet"),
        ({"table": "broken.xlsx"}, "broken.xlsx: not readable"),
        ({"table": "empty.csv"}, "empty.csv: has no rows"),
        ({"columns": {"speaker_id": "Who"}}, "no column Who; it has clip_id, file, O"),
        ({"columns": {"name": "file"}}, "a clip table has no name; it has clip_id"),
        (
            {"columns": {"trait_openness": "O"}},
            "without trait_conscientiousness",
        ),
        (
            {"columns": {"trait_openness": "O"}, "scales": {"personality": [1, 5]}},
            "trait_openness is outside its scale of 1 to 5 in lines 2, 3, first 0",
        ),
        ({"columns": {"media": "file"}}, "none of its 2 media files is in"),
    ],
)
def test_bad_tables_are_named(tmp_path, changes, message):
    write(tmp_path, clip_id=["a", "b"], file=["a.mp4", "b.mp4"], O=[0, 7])
    (tmp_path / "a.mp4").unlink()
    (tmp_path / "b.mp4").unlink()
    (tmp_path / "broken.xlsx").write_text("no workbook")
    (tmp_path / "empty.csv").write_text("clip_id\n")
    if "scales" not in changes and "O" in changes.get("columns", {}).values():
        changes = changes | {"scales": {"personality": [0, 7]}}
    with pytest.raises(CorpusError, match=message):
        read_table(tmp_path, corpus(**changes), 0)


def test_ids_that_come_twice_are_refused(tmp_path):
    write(tmp_path, clip_id=["a", "a"], transcript=["x", "y"])
    with pytest.raises(CorpusError, match="must be unique, but 'a' is in lines 2, 3$"):
        read_table(tmp_path, corpus(), 0)


def test_a_csv_file_as_excel_writes_it_where_decimals_have_commas(tmp_path):
    lines = ["\ufeffclip_id;said;" + ";".join(TRAIT_COLUMNS), "a;Hi, you;" + "2,5;" * 5]
    text = "\n".join(lines).removesuffix(";")
    (tmp_path / "ratings.csv").write_text(text, encoding="utf-8")
    columns, scales = {"transcript": "said"}, {"personality": [0, 5]}
    table = read_table(tmp_path, corpus(columns=columns, scales=scales), 0)
    assert table[["clip_id", "transcript"]].iloc[0].tolist() == ["a", "Hi, you"]
    assert table[list(TRAIT_COLUMNS)].iloc[0].tolist() == [0.5] * 5


def test_a_csv_file_of_another_encoding_is_named(tmp_path):
    (tmp_path / "ratings.csv").write_bytes(
        "clip_id,transcript\na,Café".encode("cp1252")
    )
    with pytest.raises(CorpusError, match="ratings.csv: not readable: not in UTF-8"):
        read_table(tmp_path, corpus(), 0)


def test_media_paths_as_windows_writes_them(tmp_path):
    (tmp_path / "day 1").mkdir()
    (tmp_path / "day 1" / "a.mp4").touch()
    write(tmp_path, media=["day 1\\a.mp4", "day 1\\gone.mp4"])
    table = read_table(tmp_path, corpus(), 0)
    assert table["media"].tolist() == ["day 1/a.mp4", "day 1/gone.mp4"]


def test_media_outside_the_folder_are_refused(tmp_path):
    write(tmp_path, media=["/elsewhere/a.mp4", "b.mp4"])
    (tmp_path / "b.mp4").touch()
    with pytest.raises(CorpusError, match="media must be a path below"):
        read_table(tmp_path, corpus(), 0)


def test_a_rating_that_is_no_number_is_named(tmp_path):
    write(tmp_path, clip_id=["a", "b"], O=["3", "high"])
    given = corpus(
        columns=dict.fromkeys(TRAIT_COLUMNS, "O"), scales={"personality": [1, 5]}
    )
    with pytest.raises(CorpusError, match="is no number in line 3, first 'high'"):
        read_table(tmp_path, given, 0)


def test_splits_that_are_given_in_part_are_refused(tmp_path):
    write(tmp_path, clip_id=["a", "b"], split=["train", None], transcript=["x", "y"])
    with pytest.raises(CorpusError, match="split must not be null: clip 'b'"):
        read_table(tmp_path, corpus(), 0)


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".parquet"])
def test_numbers_that_name_people_stay_whole(tmp_path, suffix):
    people = [1000001, 1000002, 7]
    write(tmp_path, f"x{suffix}", clip_id=[1, 2, 3], speaker_id=people)
    table = read_table(tmp_path, corpus(table=f"x{suffix}"), 0)
    assert table["clip_id"].tolist() == ["1", "2", "3"]
    assert table["speaker_id"].tolist() == ["1000001", "1000002", "7"]


def test_shares_that_are_all_0_are_refused():
    with pytest.raises(ValidationError, match="one of the shares must be above 0"):
        corpus(split={"train": 0.0, "dev": 0.0, "test": 0.0})


def write_text(folder, text, name="ratings.csv"):
    (folder / name).write_text(text, encoding="utf-8")


def test_people_and_clips_are_called_as_written(tmp_path):
    write_text(tmp_path, "clip_id,speaker_id\n001,007\n002,7\n003,3E2\n004,300\n")
    table = read_table(tmp_path, corpus(), 0)
    assert table["clip_id"].tolist() == ["001", "002", "003", "004"]
    assert table["speaker_id"].tolist() == ["007", "7", "3E2", "300"]


def test_words_that_mean_nothing_elsewhere_are_words(tmp_path):
    said = ["Hello there", "None", "N/A", "null", "nan"]
    rows = "".join(f"{n},NA,{words}\n" for n, words in enumerate(said))
    write_text(tmp_path, f"clip_id,speaker_id,transcript\n{rows}")
    table = read_table(tmp_path, corpus(), 0)
    assert table["speaker_id"].tolist() == ["NA"] * 5
    assert table["transcript"].tolist() == said


names = st.text(st.characters(exclude_categories=("Cs",)), min_size=1).filter(
    lambda name: name.strip()
)


@settings(deadline=None, derandomize=True, max_examples=50)
@given(names, names)
def test_any_name_is_read_as_written(tmp_path_factory, clip, person):
    folder = tmp_path_factory.mktemp("names")
    pd.DataFrame({"clip_id": [clip], "speaker_id": [person]}).to_parquet(
        folder / "x.parquet"
    )
    table = read_table(folder, corpus(table="x.parquet"), 0)
    assert table["clip_id"].tolist() == [unicodedata.normalize("NFC", clip.strip())]
    assert table["speaker_id"].tolist() == [
        unicodedata.normalize("NFC", person.strip())
    ]


def test_merged_cells_are_an_error_that_names_the_rows(tmp_path):
    book = openpyxl.Workbook()
    rows = ["clip_id", "speaker_id"], [1, "anna"], [2, None], [3, None], [4, "bela"]
    for row in rows:
        book.active.append(row)
    book.active.merge_cells("B2:B4")
    book.save(tmp_path / "x.xlsx")
    expected = r"speaker_id is empty in rows 3, 4 \(cells B3, B4 of sheet 'Sheet'\)"
    with pytest.raises(CorpusError, match=expected):
        read_table(tmp_path, corpus(table="x.xlsx"), 0)


def test_notes_below_the_table_are_an_error_that_names_the_row(tmp_path):
    book = openpyxl.Workbook()
    rows = (
        ["clip_id", "speaker_id"],
        ["a", "anna"],
        ["b", "bela"],
        [],
        [None, "2 in all"],
    )
    for row in rows:
        book.active.append(row)
    book.save(tmp_path / "x.xlsx")
    with pytest.raises(CorpusError, match=r"clip_id is empty in row 5 \(cell A5 of"):
        read_table(tmp_path, corpus(table="x.xlsx"), 0)
    write_text(tmp_path, "media,speaker_id\na.wav,anna\n,2 people\n")
    with pytest.raises(CorpusError, match="media is empty in line 3; every row"):
        read_table(tmp_path, corpus(), 0)
    write_text(tmp_path, "speaker_id\nanna\n")
    with pytest.raises(CorpusError, match="media is empty in line 2; every row"):
        read_table(tmp_path, corpus(), 0)


def test_rows_of_commas_are_no_clips(tmp_path):
    write_text(tmp_path, "clip_id,transcript\na,Hi\n,\n,\n")
    assert read_table(tmp_path, corpus(), 0)["clip_id"].tolist() == ["a"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Anna", "anna"),
        ("Anna B", "Anna  B"),
        ("Anna B", "Anna\u00a0B"),
        ("Anna", "An\u200bna"),
        ("STRASSE", "straße"),
        ("Anna1", "Anna\uff11"),
    ],
)
def test_a_person_in_two_spellings_is_refused(tmp_path, one, other):
    write_text(tmp_path, f"clip_id,speaker_id\na,{one}\nb,x\nc,{other}\nd,{one}\n")
    with pytest.raises(CorpusError) as caught:
        read_table(tmp_path, corpus(), 0)
    expected = f"speaker_id is {one!r} in lines 2, 5 and {other!r} in line 4; write one"
    assert expected in str(caught.value)


def test_one_person_whose_accents_are_written_in_two_ways(tmp_path):
    composed, decomposed = "J\u00fcrgen", "Ju\u0308rgen"
    (tmp_path / decomposed).mkdir()
    (tmp_path / decomposed / f"{decomposed}.wav").touch()
    (tmp_path / "plain.wav").touch()
    write_text(
        tmp_path,
        f"media,speaker_id\n{composed}/{composed}.wav,{composed}\n"
        f"plain.wav, {decomposed} \ngone.wav,{composed}\n",
    )
    table = read_table(tmp_path, corpus(), 0)
    assert table["speaker_id"].tolist() == [composed] * 3
    assert table["media"].tolist() == [
        f"{decomposed}/{decomposed}.wav",
        "plain.wav",
        "gone.wav",
    ]
    clips = [f"{composed}/{composed}.wav", "plain.wav", "gone.wav"]
    assert table["clip_id"].tolist() == clips


def test_times_are_read_and_others_are_named(tmp_path):
    header = "clip_id,start_seconds,end_seconds\n"
    write_text(tmp_path, f"{header}a,0.5,2\nb,,3.25\n")
    table = read_table(tmp_path, corpus(), 0)
    assert table["start_seconds"].fillna(-1).tolist() == [0.5, -1]
    assert table["end_seconds"].tolist() == [2, 3.25]
    write_text(tmp_path, f"{header}a,0:30,2\n")
    with pytest.raises(
        CorpusError, match="start_seconds is no number in line 2, first '0"
    ):
        read_table(tmp_path, corpus(), 0)


def test_na_is_no_rating(tmp_path):
    columns = dict.fromkeys(TRAIT_COLUMNS, "O")
    write_text(tmp_path, "clip_id,O\na,0.5\nb,\nc,NA\n")
    with pytest.raises(CorpusError, match="in line 4, first 'NA'; leave a cell empty"):
        read_table(tmp_path, corpus(columns=columns), 0)
    write_text(tmp_path, "clip_id,O\na,0.5\nb,\n")
    table = read_table(tmp_path, corpus(columns=columns), 0)
    assert table["trait_openness"].fillna(-1).tolist() == [0.5, -1]
