import hashlib
from datetime import date

import pytest

from sslmepr.analysis.recorded import file_hashes, provenance, record_provenance


def test_provenance_comes_back_as_written(tmp_path):
    (tmp_path / "x.csv").write_bytes(b"a,b\n")
    hashes = file_hashes(tmp_path, ["x.csv"])
    assert hashes == {"x.csv": hashlib.sha256(b"a,b\n").hexdigest()[:16]}
    record_provenance(tmp_path, {"x": hashes}, "abc", date(2026, 11, 22))
    found = provenance(tmp_path)
    assert found["computed on"] == "2026-11-22"
    assert found["data (sha256)"] == {"x": hashes}


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="y.csv"):
        file_hashes(tmp_path, ["y.csv"])
