"""The command line: ``sslmepr run``, ``study``, ``sweep``, ``book``, ``predict``."""

import argparse
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml

from sslmepr import params


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="sslmepr", description=__doc__)
    commands = parser.add_subparsers(required=True)

    run = commands.add_parser("run", help="execute a notebook as a pipeline stage")
    run.add_argument("stage", help="stem of a notebook in notebooks/")
    run.add_argument("--out", type=Path, required=True, help="the executed notebook")
    run.add_argument(
        "-p",
        nargs=2,
        action="append",
        default=[],
        metavar=("NAME", "VALUE"),
        help="a parameter; its value is read as YAML",
    )
    run.set_defaults(call=_run)

    study = commands.add_parser("study", help="print what dvc exp run needs for one")
    study.add_argument("name")
    study.set_defaults(call=_study)

    sweep = commands.add_parser("sweep", help="train every variant, side by side")
    sweep.add_argument("name", nargs="?", help="a study; the current one if absent")
    sweep.add_argument("--jobs", type=int, default=os.cpu_count(), help="at a time")
    sweep.set_defaults(call=_sweep)

    book = commands.add_parser("book", help="assemble and build the book")
    book.set_defaults(call=_book)

    predict = commands.add_parser("predict", help="predict recordings of your own")
    predict.add_argument("clip", nargs="+", help="a file, a folder, or a pattern")
    predict.add_argument(
        "--out", type=Path, required=True, help="table to write: .csv, .json, .parquet"
    )
    predict.add_argument("--variant", default="multitask", help="which fusion model")
    predict.set_defaults(call=_predict)

    options = parser.parse_args(arguments)
    try:
        options.call(options)
    except (params.ParamsError, RuntimeError) as error:
        print(f"sslmepr: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("sslmepr: interrupted; the same command goes on", file=sys.stderr)
        return 130
    return 0


def _run(options: argparse.Namespace) -> None:
    # Imported here because papermill takes a second that `study` need not wait for.
    from sslmepr import notebook

    values = {name: yaml.safe_load(value) for name, value in options.p}
    source = Path("notebooks", f"{options.stage}.ipynb")
    notebook.run(source, options.out, values)


def _study(options: argparse.Namespace) -> None:
    current = params.load()
    study = current.for_study(options.name)
    for change in _to_study(current, study, options.name):
        print("-S", change)
    if not study.truth_known:
        print("book")  # the remaining stages compare with what was planted


def _sweep(options: argparse.Namespace) -> None:
    from sslmepr.sweep import sweep

    if options.jobs < 1:
        raise params.ParamsError("--jobs must be at least 1")
    study = current = params.load()
    changes = []
    if options.name:
        study = current.for_study(options.name)
        for change in _to_study(current, study, options.name):
            changes += ["-S", change]
    trained = sweep(study, changes, options.jobs)
    print(f"{len(trained)} variants trained; `make book` shows them")


def _to_study(before: params.Params, after: params.Params, name: str) -> Iterator[str]:
    """What makes the parameters those of a study, for ``--set-param``."""
    trees = before.model_dump(), after.model_dump()
    for key in before.study_changes(name):
        yield from _changes(key, *(params.at(tree, key) for tree in trees))


def _changes(key: str, before, after) -> Iterator[str]:
    """What turns `before` into `after`, in the grammar of DVC's ``--set-param``.

    Dictionaries are taken apart, because ``--set-param`` merges them and would keep
    entries that should go. ``++`` sets a key whether or not it exists.
    """
    if isinstance(after, dict):
        known = before if isinstance(before, dict) else {}
        for name in known.keys() - after.keys():
            yield f"~{key}.{name}"
        for name, value in after.items():
            yield from _changes(f"{key}.{name}", known.get(name), value)
    else:
        value = json.dumps(after, separators=(",", ":")).replace('"', "")
        yield f"++{key}={value}"


def _book(options: argparse.Namespace) -> None:
    from sslmepr import book

    settings = params.load()
    target = book.assemble(settings.study, settings)
    book.build(target, Path("site"))


def _predict(options: argparse.Namespace) -> None:
    from sslmepr.predict import predict

    settings = params.load()
    if settings.corpus[settings.roles.emotion].source == "simulated":
        print(
            f"sslmepr: the models of study {settings.study!r} know drawn faces and a "
            "synthetic voice; what they say of real people means nothing",
            file=sys.stderr,
        )
    folder = Path("runs", settings.study)
    table = predict(settings, options.clip, options.out, folder, options.variant)
    failed = (table["failed"] != "").sum()
    print(
        f"{options.out}: {len(table)} clips, {failed} of them without a prediction "
        "(the column `failed` says why). Intervals from _low to _high are over models "
        "trained from other seeds, and say nothing of how sure these are of a person."
    )


if __name__ == "__main__":
    sys.exit(main())
