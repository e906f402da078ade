import pandas as pd

from sslmepr.report.reproducibility_findings import reproducibility_findings


def test_the_last_verification_comes_first_and_the_costs_last():
    history = pd.DataFrame(
        [("a", "X", "open", "AVX2", "2026-11-28", 1200, 3)],
        columns=["study", "processor", "blas", "torch", "date", "compared", "outside"],
    ).assign(commit="0123456789ab", on_record_now=True)
    measured = pd.DataFrame(
        [("repro", 1200.0, "seconds", "2 cores")],
        columns=["name", "value", "unit", "machine"],
    )
    answer, sure, unsaid, cost = reproducibility_findings(
        history, "a", measured
    ).sentences
    assert "1,200 numbers" in answer and "3 of them outside" in answer
    assert sure.startswith("**How sure.** Every number is compared")
    assert unsaid.startswith("**What it does not say.** What is computed again")
    assert cost.startswith("**What it costs.**") and "20 minutes" in cost
