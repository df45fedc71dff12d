"""Optimizers and learning rates compared over many runs: the table on the terminal, as CSV and as a picture."""

import sys
from contextlib import contextmanager

import numpy as np

from common import figures, loops, runlog

FAR = 100.0  # and has diverged when in the end A is ten times as far from it as at the start, or no longer finite
COLUMNS = ("optimizer", "learning_rate", "runs", "diverged", "A_mean", "A_sd", "A_p05", "A_p50", "A_p95", "loss_mean",
           "steps_to_target")


def summary(row, A, loss, arrived, target):
    """The row of the table: a dict with the keys `COLUMNS`, None where a figure does not apply."""
    kept = np.isfinite(A) & np.isfinite(loss) & (np.abs(A - target) <= FAR)
    figures = dict.fromkeys(COLUMNS)
    figures.update(zip(COLUMNS, (*row, len(A), len(A) - int(kept.sum())), strict=False))
    if kept.any():
        kept_A = A[kept].astype(np.float64)
        low, middle, high = np.percentile(kept_A, (5, 50, 95))
        steps = np.median(np.where(arrived[kept] > 0, arrived[kept], np.inf))
        figures.update(A_mean=kept_A.mean(), A_sd=kept_A.std(), A_p05=low, A_p50=middle, A_p95=high,
                       loss_mean=loss[kept].astype(np.float64).mean(),
                       steps_to_target=steps if np.isfinite(steps) else None)
    return figures


def compare(problem, args, artist):
    """Train `args.runs` runs of each of `args.rows`, print a table, and write it as CSV and as a picture."""
    rows, curves = [], []
    path = args.output_dir / f"{args.name}-comparison"

    def write():
        if not rows:
            return []
        files = {path.with_suffix(".csv"): csv(rows).encode()}
        try:
            if artist:
                files[path.with_suffix(".png")] = artist.png(
                    figures.comparison, title=problem.title, rows=rows, curves=curves, target=problem.target,
                    near=loops.NEAR, limit=problem.limit)
        finally:
            runlog.save(files)
        return files

    stop = runlog.StopSignals()
    with runlog.files_written(args.name, write), _progress(len(args.rows) * args.runs) as bar:
        say, done = (bar.write, bar.update) if bar is not None else (print, lambda count: None)
        say(line(dict(zip(COLUMNS, COLUMNS, strict=True))))

        def check():
            stop.check(f"after {len(rows)} of {len(args.rows)} rows")

        try:
            outcomes = loops.outcomes(problem, args, check, done)
            for row, (A, loss, arrived, at, paths) in zip(args.rows, outcomes, strict=True):
                rows.append(summary(row, A, loss, arrived, problem.target))
                with np.errstate(all="ignore"):
                    curves.append((at, *np.percentile(paths.astype(np.float64), (5, 50, 95), axis=1)))
                say(line(rows[-1]))
        except MemoryError:
            raise SystemExit(f"There is not enough memory for {args.runs:,} runs: try fewer.") from None


def csv(rows):
    """The table as text; every number reads back as the same float64, and what does not apply is empty."""
    lines = [",".join("" if row[column] is None else str(row[column]) for column in COLUMNS) for row in rows]
    return "\n".join([",".join(COLUMNS), *lines]) + "\n"


def line(row):
    """One line of the table on the terminal, from a row of figures or from the headings."""
    cells = []
    for column, width in (("optimizer", -26), ("learning_rate", 13), ("runs", 10), ("diverged", 9), ("A_mean", 10),
                          ("A_sd", 9), ("loss_mean", 11), ("steps_to_target", 16)):
        value = row[column]
        if value is None:
            value = "never" if column == "steps_to_target" else "-"
        elif isinstance(value, float):
            value = f"{value:.4g}" if column in ("learning_rate", "steps_to_target", "loss_mean") else f"{value:.4f}"
        cells.append(f"{value:<{-width}}" if width < 0 else f"{value:>{width}}")
    return "".join(cells)


@contextmanager
def _progress(total):
    """A progress bar on standard error if that is a terminal, else None."""
    if not (sys.stderr and sys.stderr.isatty()):
        yield None
        return
    try:
        from tqdm import tqdm
    except ModuleNotFoundError:
        yield None
        return
    with tqdm(total=total, unit=" runs", leave=False) as bar:
        yield bar
