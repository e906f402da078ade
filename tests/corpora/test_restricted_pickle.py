import os
import pickle
import struct

import numpy as np
import pytest

from sslmepr.corpora import restricted_pickle
from sslmepr.corpora.schema import CorpusError

PYTHON2_FLOAT64 = (
    b"cnumpy.core.multiarray\nscalar\n"
    b"(cnumpy\ndtype\n(U\x02f8K\x00K\x01tR"
    b"(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    b"U\x08" + struct.pack("<d", 0.625) + b"tR"
)


class Payload:
    """Calls `function` with `arguments` when it is unpickled carelessly."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


@pytest.fixture
def load(tmp_path):
    def load_bytes(content):
        path = tmp_path / "file.pkl"
        path.write_bytes(content)
        return restricted_pickle.load(path)

    return load_bytes


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_builtin_values_are_read(load, protocol):
    value = {"a": [1, 2.5, None, True], "b": ("é", {"c": "text"})}
    assert load(pickle.dumps(value, protocol=protocol)) == value


@pytest.mark.parametrize("number", [np.float64(0.1), np.float32(2), np.int64(-3)])
def test_numpy_scalars_of_this_numpy_are_read(load, number):
    found = load(pickle.dumps({"score": number}, protocol=4))["score"]
    assert found == number and found.dtype == number.dtype


def test_a_python_2_numpy_scalar_is_read(load):
    found = load(b"\x80\x02" + PYTHON2_FLOAT64 + b".")
    assert found == 0.625 and isinstance(found, np.float64)


def test_python_2_strings_are_latin_1(load):
    assert load(b"\x80\x02U\x04caf\xe9.") == "café"


@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize(
    "function, name",
    [(os.system, "system"), (eval, "eval"), (open, "open"), (np.load, "load")],
)
def test_a_payload_is_refused_before_it_runs(tmp_path, load, function, name, protocol):
    witness = tmp_path / "witness"
    argument = {
        os.system: f"touch '{witness}'",
        eval: f"open({str(witness)!r}, 'w')",
    }.get(function, str(witness))
    content = pickle.dumps({"harmless": Payload(function, argument)}, protocol=protocol)
    with pytest.raises(CorpusError, match=rf"file\.pkl: refused: it names .*{name}"):
        load(content)
    assert not witness.exists()


@pytest.mark.parametrize(
    "value",
    [
        Payload(getattr, "text", "upper"),
        np.zeros(3),
        {1, Payload(set)},
        ValueError("x"),
    ],
)
def test_other_objects_are_refused(load, value):
    with pytest.raises(CorpusError, match="refused: it names"):
        load(pickle.dumps(value))


def test_a_name_reached_through_an_allowed_module_is_refused(load):
    for name in (b"load", b"dtype.__new__", b"core.multiarray.scalar"):
        with pytest.raises(CorpusError, match="refused: it names"):
            load(b"\x80\x04\x8c\x05numpy\x8c" + bytes([len(name)]) + name + b"\x93.")


@pytest.mark.parametrize(
    "content", [b"", b"\x80\x02", b"text,csv\n", b"\x80\x02(.", b"\x80\x02K\x01R."]
)
def test_a_damaged_file_is_named(load, content):
    with pytest.raises(CorpusError, match=r"file\.pkl: not a readable pickle"):
        load(content)


def test_a_file_cut_short_anywhere_is_named(load):
    whole = b"\x80\x02}(U\x01a" + PYTHON2_FLOAT64 + b"U\x01bK\x07u."
    assert load(whole) == {"a": 0.625, "b": 7}
    for length in range(len(whole)):
        with pytest.raises(CorpusError, match=r"file\.pkl: not a readable pickle"):
            load(whole[:length])


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x02Nr\xff\xff\xff\x1f.",  # LONG_BINPUT, place 536,870,911
        b"Np536870911\n.",  # PUT
        b"\x80\x05\x96" + struct.pack("<Q", 2**32) + b".",  # BYTEARRAY8
        b"\x80\x04\x8e" + struct.pack("<Q", 2**32) + b".",  # BINBYTES8
        b"\x80\x04\x8d" + struct.pack("<Q", 2**32) + b".",  # BINUNICODE8
        b"\x80\x03B" + struct.pack("<I", 2**32 - 1) + b".",  # BINBYTES
        b"\x80\x02\x8b" + struct.pack("<i", 2**31 - 1) + b".",  # LONG4
        b"\x80\x04\x95" + struct.pack("<Q", 2**40) + b"N.",  # FRAME
        b"\x80\x02cnumpy.core.multiarray\nscalar\n"
        b"cnumpy\ndtype\nX\x0b\x00\x00\x00V1000000000\x85R\x85R.",
        b"\x80\x02cnumpy.core.multiarray\nscalar\n"
        b"cnumpy\ndtype\nX\x0b\x00\x00\x00V1000000000\x85RU\x00\x86R.",
    ],
)
def test_a_small_file_does_not_take_much_memory(load, content, measure_memory):
    with measure_memory() as used:
        with pytest.raises(CorpusError, match=r"file\.pkl: (refused|not a readable)"):
            load(content)
    assert used() < 1e6


def test_a_large_file_is_refused(load, monkeypatch):
    monkeypatch.setattr(restricted_pickle, "MOST_BYTES", 10)
    assert load(b"\x80\x02U\x04four.") == "four"
    with pytest.raises(CorpusError, match="refused: it has more than 10 bytes"):
        load(b"\x80\x02U\x06sixsix.")


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(CorpusError, match=r"none\.pkl: cannot be opened"):
        restricted_pickle.load(tmp_path / "none.pkl")
