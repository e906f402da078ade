"""Digests of tables of features, written into ``params.yaml`` before DVC runs.

DVC watches no files outside the repository, and a stage cannot depend on a path that
only some corpora have. The digest of a corpus's tables is therefore a parameter of it,
on which its stages depend, and what reads the tables refuses others.
"""

from pathlib import Path

from sslmepr.corpora.feature_tables import digest_tables
from sslmepr.corpora.schema import CorpusError
from sslmepr.params import Params, get_path
from sslmepr.params.base import read
from sslmepr.params.corpora import feature_tables
from sslmepr.pipeline.studies import set_parameters


def note_tables(study: Params, path: str | Path = "params.yaml") -> list[str]:
    """Bring the digests of a study's tables of features up to date.

    Tables that are not there are passed over: whatever reads them says so.

    Parameters
    ----------
    study : Params
        What `path` holds.
    path : path
        The parameters file. Of a section of tables without a line for the digest, the
        whole is written anew, on one line.

    Returns
    -------
    list of str
        A sentence for each digest that was written.
    """
    written, stale = [], {}
    for name in study.corpora:
        for place, table in feature_tables(study.corpus[name]).items():
            try:
                found = digest_tables(study.data_root_path(), table)
            except CorpusError:
                continue
            if found == table.sha256:
                continue
            key = f"corpus.{name}.{place}"
            stale[key] = found
            what = "are new" if table.sha256 is None else "have changed"
            written.append(f"{key}: the tables in {table.path} {what}; noted in {path}")
    if stale:
        tree, changes = read(Path(path)), {}
        for key, found in stale.items():
            section = get_path(tree, key)
            if "sha256" in section:
                changes[f"{key}.sha256"] = found
            else:
                changes[key] = {**section, "sha256": found}
        set_parameters(changes, path)
    return written
