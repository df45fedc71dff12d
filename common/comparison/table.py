"""A comparison: its rows, one after the other, as a table on the terminal, as files and for its picture."""

import contextlib
import csv
import sys
from types import SimpleNamespace

import numpy as np

from common import report, signals
from common.comparison import runs
from common.comparison.figures import FORMATS, cell, summary
from common.graph import structure

MOST = 2000  # steps of run 1 that are drawn


class Comparison:
    """What a comparison leaves behind: `rows`, dicts with the keys of `FORMATS`, `files` and `status`."""

    def __init__(self, target):
        self.rows, self.curves, self.model, self._target = [], [], None, target

    def __repr__(self):
        return "\n".join(self.lines())

    def lines(self):
        """The table as lines: the heading, and one a row."""
        heading = dict(zip(FORMATS, FORMATS, strict=True))
        return ["".join(cell(row, column, self._target) for column in FORMATS) for row in (heading, *self.rows)]


def compare(recipe, args, output):
    """Train `args.runs` runs of each of `args.rows`, print a table, and write it as CSV, record and picture."""
    result, failure, state = Comparison(recipe.target), None, np.random.get_state()
    try:
        with contextlib.closing(progress(len(args.rows) * args.runs)) as bar:
            for row in args.rows:
                add_row(result, recipe, args, row, output, bar.update)
                bar.clear()
                output.print(*result.lines()[-1 if result.rows[1:] else 0 :])
    except BaseException as error:  # what is finished is written first
        failure = error
    try:
        with signals.held():
            np.random.set_state(state)
            if result.rows:
                table = [FORMATS, *(row.values() for row in result.rows)]
                output.save("-comparison.csv", lambda file: csv.writer(file, lineterminator="\n").writerows(table))
                output.record("-comparison.json", {"rows": result.rows})
        if result.rows and args.figure:
            draw(recipe, args, result, output)
        explain(failure, args, len(result.rows), output)
    except signals.Stopped as stopped:
        output.failed(f"{stopped}; what is not named as written is not written", stopped.code)
    if not result.rows:
        raise SystemExit(output.status)
    return result


def explain(failure, args, finished, output):
    """Say why the table ends early; what is not of this project's making is raised again."""
    after = f"after {finished} of {len(args.rows)} rows"
    if isinstance(failure, signals.Stopped):
        output.failed(f"{failure} {after}", failure.code)
    elif isinstance(failure, MemoryError):
        output.failed(f"there is not enough memory for {args.runs:,} runs: try fewer")
    elif isinstance(failure, structure.Unknown):
        output.failed(f"{f'the table ends {after}' if finished else 'there is no table'}: {failure}")
    elif failure:
        raise failure


def progress(total):
    """A progress bar for so many runs, on a terminal and where tqdm is installed."""
    with contextlib.suppress(ModuleNotFoundError):
        from tqdm import tqdm

        return tqdm(total=total, unit=" runs", leave=False, disable=not sys.stderr or None)
    return SimpleNamespace(update=lambda runs: None, clear=lambda: None, close=lambda: None)


def add_row(result, recipe, args, row, output, done):
    """Train a row's runs, and add its figures and its curves to the result."""
    log = runs.own_run(recipe, args, row)
    optimizer, rate = structure.optimizer(log.session.steps, log.session.parts.A)
    made_by = optimizer, np.float32(row[1]) if rate is None and args.learning_rate else rate
    if otherwise := report.not_as_asked(args, row, optimizer, rate):
        output.failed(otherwise)
    model = result.model = result.model or report.model_of(recipe, args, log)
    target = recipe.target if model is None or model.best is None else model.best
    theory = report.in_theory(recipe.target, model) if model and recipe.target is not None else "In theory"
    if not (result.rows or theory.startswith("In theory")):
        output.print(f"{theory}. steps_to_target counts to {recipe.target:g}.")
    if rate is None and args.learning_rate and not result.rows:
        output.print("train() computes its learning rate: learning_rate is what the flags ask for.")
    steps = np.unique(np.linspace(0, len(log), MOST).astype(int))
    path = log.A[np.unique(np.linspace(0, len(log), 50 * MOST).astype(int))]
    if args.runs > 1 and len(log) > 140:  # one a pixel of a small screen, each at the start
        steps = np.unique(np.r_[0:13, np.geomspace(1, len(log), 20), np.linspace(0, len(log), 250)].astype(int))
    if args.runs == 1:
        *figures, start, A = runs.alone(recipe, log, steps, model)
        lost = report.diverged(log.A[-1:], log.loss[-1:], target, start)
        done(1)
    else:
        *figures, start, A = runs.together(recipe, args, log, steps, done)
        lost = report.diverged(*figures[:2], target, start)
    if model is None and (args.runs == 1 or args.figure):
        output.failed(f"the loss over A is not shown: {log.unknown}")
    result.rows.append(summary(made_by, *figures, lost))
    A = np.nan_to_num(A.astype(np.float64), nan=3e38, posinf=3e38, neginf=-3e38)  # a run that is lost is far away
    result.curves.append((steps, np.percentile(A, (5, 50, 95), axis=1), path))


def draw(recipe, args, result, output):
    """Have the rows drawn: their runs, where these end, and the mean loss of run 1's samples over `A`."""
    from common.pictures.numbers import count, title

    steps = count(max(steps[-1] for steps, *_ in result.curves))
    numbers = {
        "title": title(recipe), "rows": result.rows, "curves": [curve[:2] for curve in result.curves],
        "made_by": f"seed {args.seed}, {steps}, {args.runs:,} run{'s' * (args.runs > 1)}",
        "first": [first for *_, first in result.curves], "grid": None, "mean": None, "stable": None,
        "target": recipe.target, "goal": None, "near": report.NEAR, "far": report.FAR}
    if model := result.model:
        numbers["goal"] = report.goal(recipe.target, model)
        start, *_ = numbers["first"][0]
        center = next(each for each in (numbers["goal"], recipe.target, start) if each is not None)
        reach = 2 * max(report.NEAR, *(abs(first[0] - center) for first in numbers["first"]))
        numbers["grid"] = np.linspace(center - reach, center + reach, 400)
        numbers["mean"] = model.losses(numbers["grid"]).mean(axis=1)
        if {row["optimizer"] for row in result.rows} == {"gradient-descent"}:
            numbers["stable"] = model.stable_rate()
    output.draw({"-comparison.png": ("comparison", numbers)})
