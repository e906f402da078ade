import pandas as pd

from sslmepr.report.promises_findings import promises_findings

PROMISES = pd.DataFrame(
    [("a", "x", "t::one t::two"), ("a", "y", "t::two"), ("b", "x", "t::three")],
    columns=["promise", "tried", "tests"],
)


def test_machines_are_counted_by_kind_and_not_by_verification():
    history = pd.DataFrame(
        [
            ("s", "X", "open", "AVX2"),
            ("r", "X", "open", "AVX2"),
            ("s", "X", "open", ""),
        ],
        columns=["study", "processor", "blas", "torch"],
    )
    answer, sure, unsaid = promises_findings(PROMISES, history).sentences
    assert answer.startswith("**2 promises** on damaged recordings")
    assert answer.endswith("tried in 3 ways, and are kept by 3 tests.")
    assert sure.endswith("on 1 kind of processor and 2 kinds of arithmetic.")
    assert unsaid.startswith("**What it does not say.**")
    never = pd.DataFrame(columns=["study"])
    assert "on 0 kinds" in promises_findings(PROMISES, never).sentences[1]
