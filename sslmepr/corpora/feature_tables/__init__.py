"""Features that other tools have measured, read from their tables.

OpenFace, py-feat, openSMILE, librosa or one's own program write a table for each
recording or one for all, with a row for each recording or for each moment. Such tables
stand in the place of an encoder for one modality of a corpus. Rows that the tool is not
sure of are left out, never filled in. What observers have described in words is read
in like manner (`sslmepr.corpora.feature_tables.descriptions`).
"""

from sslmepr.corpora.feature_tables.descriptions import (
    Descriptions,
    read_descriptions,
)
from sslmepr.corpora.feature_tables.formats import FORMATS, Format
from sslmepr.corpora.feature_tables.paths import digest_tables
from sslmepr.corpora.feature_tables.sequences import (
    Measured,
    read_feature_tables,
    table_revision,
)

__all__ = [
    "FORMATS",
    "Descriptions",
    "Format",
    "Measured",
    "digest_tables",
    "read_descriptions",
    "read_feature_tables",
    "table_revision",
]
