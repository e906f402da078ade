"""The command line: ``sslmepr repro``, ``verify``, ``predict``, ``app`` and others."""

import argparse
import os
import sys
from pathlib import Path

import yaml

from sslmepr.pipeline import fork_server


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

    repro = commands.add_parser("repro", help="bring a study up to date with DVC")
    repro.add_argument("study", nargs="?", help="absent: what params.yaml holds")
    repro.add_argument(
        "--reset", action="store_true", help="give up edits of what studies set"
    )
    repro.add_argument("--only", action="append", metavar="STAGE", help="as DVC has it")
    repro.add_argument(
        "-S",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="write this into params.yaml, too; the value is read as YAML",
    )
    repro.set_defaults(call=_repro)

    sweep = commands.add_parser("sweep", help="train every variant, side by side")
    sweep.add_argument("name", nargs="?", help="a study; the current one if absent")
    sweep.add_argument("--jobs", type=int, default=os.cpu_count(), help="at a time")
    sweep.set_defaults(call=_sweep)

    book = commands.add_parser("book", help="assemble and build the book")
    book.set_defaults(call=_book)

    pdf = commands.add_parser("pdf", help="print the built book")
    pdf.add_argument(
        "--out", type=Path, default=Path("build", "book.pdf"), help="the file"
    )
    pdf.set_defaults(call=_pdf)

    readme = commands.add_parser(
        "readme", help="write findings on record into README.md"
    )
    readme.set_defaults(call=_readme)

    verify = commands.add_parser("verify", help="compare results with those committed")
    verify.add_argument("name", nargs="?", help="a study; the current one if absent")
    verify.set_defaults(call=_verify)

    confirm = commands.add_parser(
        "confirm", help="test the analysis once, on worlds and people never seen"
    )
    confirm.set_defaults(call=_confirm)

    predict = commands.add_parser(
        "predict",
        help="predict recordings of your own",
        epilog="In a .csv table, an apostrophe stands before text that a spreadsheet "
        "would take for a formula; .json and .parquet hold it as it is.",
    )
    predict.add_argument("clip", nargs="+", help="a file, a folder, or a pattern")
    predict.add_argument(
        "--out", type=Path, required=True, help="table to write: .csv, .json, .parquet"
    )
    predict.add_argument("--variant", default="multitask", help="which fusion model")
    predict.add_argument(
        "--confidence",
        type=float,
        help="coverage of intervals and sets; absent: evaluate.confidence",
    )
    predict.add_argument(
        "--tables",
        action="append",
        default=[],
        type=_tables_of_modality,
        metavar="MODALITY=PATH",
        help="a table, or a folder of them, of the tool that measured a modality",
    )
    predict.set_defaults(call=_predict)

    plan = commands.add_parser(
        "plan",
        help="how many clips a study needs",
        epilog="From the standard errors of the study that was run last. Assumed are "
        "scores as good, as many clips of each person, and corpora that grow alike.",
    )
    plan.add_argument("--r", type=float, default=0.2, help="correlation to be found")
    plan.add_argument("--power", type=float, default=0.8, help="with this probability")
    plan.add_argument("--half-width", type=float, help="of an interval")
    plan.add_argument("--emotion", help="plan for this one alone")
    plan.add_argument("--trait", help="plan for this one alone")
    plan.set_defaults(call=_plan)

    app = commands.add_parser("app", help="one recording, explained in the browser")
    app.add_argument("--variant", default="multitask", help="which fusion model")
    app.add_argument("--port", type=int, default=7860, help="of this machine alone")
    app.add_argument("--open", action="store_true", help="open a browser there")
    app.add_argument(
        "--limit", type=float, default=120, help="seconds that an analysis may take"
    )
    app.set_defaults(call=_app)

    arguments = sys.argv[1:] if arguments is None else arguments
    options = parser.parse_args(arguments, argparse.Namespace(words=arguments))
    try:
        return options.call(options) or 0
    except KeyboardInterrupt:
        print("sslmepr: interrupted; the same command goes on", file=sys.stderr)
        return 130
    except Exception as error:
        from sslmepr.params import ParamsError

        if not isinstance(error, ParamsError | RuntimeError | OSError):
            raise
        print(f"sslmepr: {error}", file=sys.stderr)
        return 1


# What a command needs is imported by it alone, so that the others start at once.


def _run(options: argparse.Namespace) -> int | None:
    status = fork_server.ask(options.words)
    if status is not None:
        return status
    from sslmepr.pipeline import notebook

    values = {name: yaml.safe_load(value) for name, value in options.p}
    source = Path("notebooks", f"{options.stage}.ipynb")
    notebook.run(source, options.out, values)


def _repro(options: argparse.Namespace) -> None:
    from sslmepr.pipeline import studies
    from sslmepr.pipeline.reproduce import reproduce

    _apply(options.study, options.reset)
    changes = dict(change.partition("=")[::2] for change in options.S)
    studies.set_parameters(
        {key: yaml.safe_load(value) for key, value in changes.items()}
    )
    reproduce(options.only)


def _sweep(options: argparse.Namespace) -> None:
    from sslmepr import params
    from sslmepr.pipeline.sweep import sweep

    if options.jobs < 1:
        raise params.ParamsError("--jobs must be at least 1")
    _apply(options.name)
    trained = sweep(params.load(), options.jobs)
    print(f"{len(trained)} variants trained; `make book` shows them")


def _apply(study: str | None, reset: bool = False) -> None:
    from sslmepr.pipeline import studies

    if study:
        for sentence in studies.apply_study(study, reset=reset):
            print(f"sslmepr: {sentence}")


def _book(options: argparse.Namespace) -> None:
    from sslmepr import params
    from sslmepr.pipeline import book

    settings = params.load()
    target = book.assemble(settings.study, settings)
    book.build(target, Path("site"))


def _pdf(options: argparse.Namespace) -> None:
    from sslmepr.pipeline.book_pdf import print_book

    print_book(Path("site"), Path("book"), options.out)
    print(f"The book on paper: {options.out.resolve()}")


def _readme(options: argparse.Namespace) -> None:
    from sslmepr import params
    from sslmepr.pipeline.readme import write_readme

    write_readme(params.load())


def _verify(options: argparse.Namespace) -> None:
    from sslmepr import params
    from sslmepr.report.verification import verify

    if not verify(options.name or params.load().study):
        raise RuntimeError("results are not those on record, see above")


def _confirm(options: argparse.Namespace) -> None:
    from sslmepr import params
    from sslmepr.confirmation.attempts import FOLDER
    from sslmepr.confirmation.confirm import MODEL, confirm
    from sslmepr.confirmation.frozen import frozen_study
    from sslmepr.corpora.schema import CorpusError
    from sslmepr.features import FeatureError
    from sslmepr.pipeline.parallel import stale_stages
    from sslmepr.training.checkpoints import CheckpointError

    settings = params.load()
    study = frozen_study(settings).study
    if settings.study != study:
        raise RuntimeError(
            f"what is confirmed is study {study!r}; first: make repro STUDY={study}"
        )
    stale = list(stale_stages([f"fusion@{MODEL}"]))
    if stale:
        raise RuntimeError(
            f"the models are not those of this code ({stale[0]} is out of date); "
            "first: make repro"
        )
    try:
        new = confirm(settings)
    except (CheckpointError, CorpusError, FeatureError) as error:
        raise RuntimeError(str(error)) from None
    told = "a new attempt" if new else "an attempt on record, reproduced; not counted"
    print(f"{FOLDER}: {told}. Commit that folder; `make book` shows it")


def _predict(options: argparse.Namespace) -> None:
    from sslmepr import params
    from sslmepr.predict import predict

    settings = params.load()
    if settings.corpus[settings.roles.emotion].source == "simulated":
        print(
            f"sslmepr: the models of study {settings.study!r} know drawn faces and a "
            "synthetic voice; what they say of real people means nothing",
            file=sys.stderr,
        )
    folder = Path("runs", settings.study)
    table = predict(
        settings,
        options.clip,
        options.out,
        folder,
        options.variant,
        options.confidence,
        dict(options.tables),
    )
    failed = (table["failed"] != "").sum()
    print(
        f"{options.out}: {len(table)} clips, {failed} of them without a prediction "
        "(the column `failed` says why)."
    )
    print(*table.attrs["promises"], sep="\n")


def _tables_of_modality(text: str) -> tuple[str, str]:
    modality, _, path = text.partition("=")
    if not path:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form MODALITY=PATH")
    return modality, path


def _plan(options: argparse.Namespace) -> None:
    from sslmepr import params
    from sslmepr.association.planning import chosen, plan, read_precision
    from sslmepr.report.plan_table import plan_table

    settings = params.load()
    folder = Path("results", settings.study, "association")
    try:
        table = chosen(read_precision(folder), options.emotion, options.trait)
        found = plan(
            table,
            settings.association,
            options.r,
            options.power,
            options.half_width,
        )
    except ValueError as error:
        raise params.ParamsError(str(error)) from None
    if found.empty:
        raise RuntimeError(f"{folder}: associations of this study are not identified")
    print(f"Clips (people) for a power of {options.power:g}, study {settings.study!r}:")
    print(plan_table(found).to_string(index=False))


def _app(options: argparse.Namespace) -> int:
    from sslmepr import params
    from sslmepr.app.serve import serve

    if not 0 < options.limit < float("inf"):
        raise RuntimeError("--limit must be a number of seconds above 0")
    return serve(
        Path(),
        params.load(),
        options.variant,
        options.port,
        options.open,
        options.limit,
    )


if __name__ == "__main__":
    sys.exit(main())
