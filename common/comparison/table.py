"""A comparison: its rows, one after the other, as a table on the terminal, as files and for its picture."""

import contextlib
import sys

import numpy as np

from common import report, signals
from common.comparison import runs
from common.comparison.figures import FORMATS, cell, summary, write
from common.graph import gradient, structure

MOST = 2000  # steps of run 1 that are drawn


class Comparison:
    """What a comparison leaves behind: `rows`, dicts with the keys of `FORMATS`, `files` and `status`."""

    def __init__(self, target):
        self.rows, self.curves, self.model, self.others, self._target = [], [], None, {}, target

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
        with progress(len(args.rows) * args.runs, output) as (say, done):
            for row in args.rows:
                add_row(result, recipe, args, row, output, done)
                say(*result.lines()[-1 if result.rows[1:] else 0:])
    except BaseException as error:  # what is finished is written first
        failure = error
    try:
        with signals.held():
            np.random.set_state(state)
            if result.rows:
                output.save("-comparison.csv", lambda file: write(file, result.rows))
                output.record("-comparison.json", {"rows": result.rows})
        explain(failure, args, len(result.rows), output)
        if result.rows and args.figure:
            draw(recipe, args, result, output)
    except signals.Stopped as stopped:
        output.failed(f"{stopped}; what is not named as written is not written", 128 + stopped.args[0])
    if not result.rows:
        raise SystemExit(output.status)
    return result


def explain(failure, args, finished, output):
    """Say why the table ends early; what is not of this project's making is raised again."""
    after = f"after {finished} of {len(args.rows)} rows"
    if isinstance(failure, signals.Stopped):
        output.failed(f"{failure} {after}", 128 + failure.args[0])
    elif isinstance(failure, MemoryError):
        output.failed(f"there is not enough memory for {args.runs:,} runs: try fewer")
    elif isinstance(failure, structure.Unknown):
        output.failed(f"{f'the table ends {after}' if finished else 'there is no table'}: {failure}")
    elif failure:
        raise failure


@contextlib.contextmanager
def progress(total, output):
    """Functions that print lines and count runs; on a terminal, with a progress bar."""
    tqdm = None
    if getattr(sys.stderr, "isatty", bool)():  # an IDE's may have none
        with contextlib.suppress(ModuleNotFoundError):
            from tqdm import tqdm
    if not tqdm:
        yield output.print, lambda count: None
        return

    def say(*lines):
        with tqdm.external_write_mode():
            output.print(*lines)

    with tqdm(total=total, unit=" runs", leave=False) as bar:
        yield say, bar.update


def add_row(result, recipe, args, row, output, done):
    """Train a row's runs, and add its figures and its curves to the result."""
    log = runs.own_run(recipe, args, row)
    made_by = structure.optimizer(log.session.steps, log.session.parts.A)
    ignored = report.without_effect(args, row, *made_by)
    if ignored:
        output.failed(ignored)
    model = result.model = result.model or report.model_of(recipe, args, log)
    target = recipe.target if model is None or model.best is None else model.best
    if recipe.target is not None and abs(target - recipe.target) > report.NEAR and not result.rows:
        theory = report.in_theory(recipe.target, model, log.session.others)
        output.print(f"{theory}. steps_to_target counts to {recipe.target:g}.")
    result.others = log.session.others
    last = len(log)
    drawn = np.unique(np.linspace(0, last, MOST).astype(int))
    steps = np.r_[0 : min(last, 140 if last <= 140 else 12) + 1, np.geomspace(1, last, 20), np.linspace(0, last, 36)]
    steps = drawn if args.runs == 1 else np.unique(steps.astype(int))  # many of those at the start
    train = runs.alone if args.runs == 1 else runs.together
    *figures, start, A = train(recipe, args, log, steps, model, done)
    lost = figures.pop() | report.diverged(*figures[:2], target, start)
    result.rows.append(summary(made_by, *figures, lost))
    A = np.nan_to_num(A.astype(np.float64), nan=3e38, posinf=3e38, neginf=-3e38)  # a run that is lost is far away
    result.curves.append((steps, np.percentile(A, (5, 50, 95), axis=1), log.A[drawn]))


def draw(recipe, args, result, output):
    """Have the rows drawn: their runs, where these end, and the mean loss of run 1's samples over `A`."""
    from common.pictures.numbers import title

    names, rates = ({row[column] for row in result.rows} for column in ("optimizer", "learning_rate"))
    made_by = [f"learning rate {rate:g}" for rate in rates if len(rates) == 1 and rate is not None]
    made_by += [f"seed {args.seed}", f"{args.steps:,} steps", f"{args.runs:,} run{'s' * (args.runs > 1)}"]
    model, firsts, grid, mean = result.model, [first for *_, first in result.curves], None, None
    if model and not result.others:
        center = next(each for each in (recipe.target, model.best, firsts[0][0]) if each is not None)
        reach = 2 * max(report.NEAR, *(abs(first[0] - center) for first in firsts))
        grid = np.linspace(center - reach, center + reach, 400)
        mean = model.losses(grid).mean(axis=1)
    stable = gradient.stable_rate(model) if model and names == {"gradient-descent"} else None
    output.draw({"-comparison.png": ("comparison", {
        "title": title(recipe), "made_by": ", ".join(made_by), "rows": result.rows, "first": firsts, "grid": grid,
        "mean": mean, "curves": [curve[:2] for curve in result.curves], "target": recipe.target, "near": report.NEAR,
        "stable": stable})})
