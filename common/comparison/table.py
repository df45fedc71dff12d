"""A comparison as a table: on the terminal, as CSV and for its picture."""

import csv
import io
import itertools
import math

import numpy as np

from common.comparison import loops
from common.ending import surroundings
from common.ending.model import Model, model_of
from common.pictures import comparison as picture
from common.run import count

CURVES_OF = 1024  # runs whose way is drawn: those of the first chunk
THIN_LINES = 20  # runs that are drawn one by one
FORMATS = {  # column: its width on the terminal (0: only in the file) and its format
    "optimizer": (-26, "s"), "learning_rate": (13, ".4g"), "runs": (10, "d"), "diverged": (9, "d"),
    "A_mean": (10, ".4f"), "A_sd": (9, ".4f"), "A_p05": (0, ""), "A_p50": (0, ""), "A_p95": (0, ""),
    "loss_mean": (11, ".4g"), "steps_to_target": (16, ".4g"),
}


class Comparison:
    """What a comparison leaves behind: `rows`, a list of dicts with the keys `FORMATS`, `files` and `status`."""

    def __init__(self):
        self.rows, self.files, self.status = [], [], 0

    def __repr__(self):
        return "\n".join([line(dict(zip(FORMATS, FORMATS, strict=True))), *map(line, self.rows)])


def compare(recipe, args, signals, output, artist):
    """Train `args.runs` runs of each of `args.rows`, print a table, and write it as CSV, record and picture."""
    result, curves, all_paths, failure = Comparison(), [], [], None
    model = model_of(recipe.graph, *recipe.draw_samples(np.random.default_rng(0)))
    if model is None:
        raise SystemExit("Several runs take a graph() that can be computed in double precision: write plain numbers "
                         "in it instead of tf.constant, and make variables in train().")
    if not model.separate:
        raise SystemExit("Several runs are trained side by side, which takes a loss with one number a sample: leave "
                         "tf.reduce_mean and the like out of graph(), or train a single run.")
    signals.patience = 1
    try:
        with surroundings.progress(len(args.rows) * args.runs, "runs") as bar:
            say, done = (bar.write, bar.update) if bar is not None else (print, lambda count: None)
            say(line(dict(zip(FORMATS, FORMATS, strict=True))))
            for row, (A, loss, arrived, gone, at, paths) in zip(
                    args.rows, loops.outcomes(recipe, args, lambda: check(signals), done), strict=True):
                result.rows.append(summary(row, A, loss, arrived, gone))
                with np.errstate(all="ignore"):
                    curves.append((at, *np.percentile(paths.astype(np.float64), (5, 50, 95), axis=1)))
                all_paths += [paths] if args.runs <= THIN_LINES else []
                say(line(result.rows[-1]))
        signals.patience = math.inf  # the table is written whatever comes
    except BaseException as error:  # what is finished is written first
        failure, signals.patience = error, math.inf
    if failure and not result.rows and not isinstance(failure, (MemoryError, OSError)):
        raise failure
    if result.rows:
        output.save("-comparison.csv", lambda file: write(file, result.rows))
        output.record("-comparison.json", {"rows": result.rows})
    signals.patience, expected = 0, True
    try:
        if signals.noted:
            output.failed(f"stopped by {signals.name} after {len(result.rows)} of {len(args.rows)} rows",
                          signals.status)
        elif isinstance(failure, MemoryError):
            output.failed(f"there is not enough memory for {args.runs:,} runs: try fewer")
        elif isinstance(failure, OSError) and failure.filename is None:
            output.print_failed(failure)
        else:
            expected = failure is None
        if artist and result.rows:
            output.draw("-comparison.png", artist, picture.png, {
                "title": recipe.title, "made_by": made_by(args), "rows": result.rows, "curves": curves,
                "paths": all_paths or None, "curves_of": min(args.runs, CURVES_OF),
                "target": recipe.target, "near": loops.NEAR, "limits": limits(recipe, args)})
    except surroundings.Stopped:
        output.failed(f"stopped by {signals.name}; what is not named as written is not written", signals.status)
    finally:
        result.files, result.status = output.paths, output.end()
    if not expected:
        raise failure
    return result


def check(signals):
    if signals.noted:
        raise surroundings.Stopped


def summary(row, A, loss, arrived, gone):
    """The row of the table: a dict with the keys `FORMATS`, None where a figure does not apply.

    row  its optimizer and learning rate; the others have one element a run, as `loops.outcomes` yields them
    """
    figures, kept = dict.fromkeys(FORMATS), ~gone
    figures.update(zip(FORMATS, (*row, len(A), int(gone.sum())), strict=False))
    if kept.any():
        kept_A = A[kept].astype(np.float64)
        low, middle, high = map(float, np.percentile(kept_A, (5, 50, 95)))
        steps = float(np.median(np.where(arrived[kept] > 0, arrived[kept], np.inf)))
        figures.update(A_mean=float(kept_A.mean()), A_sd=float(kept_A.std()), A_p05=low, A_p50=middle, A_p95=high,
                       loss_mean=float(loss[kept].astype(np.float64).mean()),
                       steps_to_target=steps if np.isfinite(steps) else None)
    return figures


def line(row):
    """One line of the table on the terminal, from a row of figures or from the headings."""
    cells = []
    for column, (width, kind) in FORMATS.items():
        value = row[column]
        if value is None:
            value = "never" if column == "steps_to_target" and row["A_mean"] is not None else "-"
        elif not isinstance(value, str):
            value = format(value, kind)
        if width:
            cells.append(f"{value:<{-width}}" if width < 0 else f"{value:>{width}}")
    return "".join(cells)


def write(file, rows):
    """The table as CSV; every number reads back as the same float64, and what does not apply is empty."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(itertools.chain([FORMATS], (row.values() for row in rows)))
    file.write(text.getvalue().encode())


def made_by(args):
    """What a picture says under its title: what all rows have in common."""
    names, rates = ({row[at] for row in args.rows} for at in (0, 1))
    words = [*names] if len(names) == 1 else []
    words += [f"learning rate {rate:g}" for rate in rates if len(rates) == 1]
    return ", ".join([*words, f"seed {args.seed}", count(args.steps, "step"), count(args.runs, "run")])


def limits(recipe, args):
    """The rates at which gradient descent diverges on the samples of the first runs, where the picture shows them."""
    if len(args.rows) < 3 or {name for name, _ in args.rows} != {"gradient-descent"}:
        return None
    block = next(loops.blocks.draw_blocks(recipe, args.seed, args.runs, min(args.runs, 256), 1))
    return Model(recipe.graph, block.x.ravel(), np.broadcast_to(block.y, block.x.shape).ravel()).limits()
