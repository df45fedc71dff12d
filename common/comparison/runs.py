"""The runs of one row of the table: the script's own, and others beside it with random numbers of their own."""

import contextlib
import io
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from common import report, run
from common import tf1 as tf
from common.comparison.draws import BLOCK, RUNS, Draws
from common.comparison.step import Step
from common.comparison.training_loop import Loop
from common.graph import structure

XLA_FROM = 4 * 1024 * 1400  # runs times steps; below, compiling takes longer than it saves
# How far run 1 may be from the script's own run, as a part of the largest `A`. The session, the loop and XLA round in
# their own ways; up to 4e-5 was measured, where Adam magnifies the rounding of gradients near 0.
ROUNDING = 1e-3


def own_run(recipe, args, row):
    """Have the script train, without what it prints; returns its log.

    Raises what ended the training, and `structure.Unknown` where the log does not tell of it.
    """
    with contextlib.redirect_stdout(io.StringIO()):
        log, ended = run.train(recipe, args, row)
    if ended:
        raise ended
    if log.unknown or not len(log):
        raise structure.Unknown(log.unknown or "train() takes no step in a tf.Session()")
    return log


def alone(recipe, args, log, steps, model, done):
    """What `together` returns, of the script's own run; the mean loss is the model's, nan without one."""
    near = np.abs(log.A[1:] - (np.nan if recipe.target is None else recipe.target)) < report.NEAR
    loss = np.nan if model is None else model.losses(log.A[-1:]).mean()
    figures = log.A[-1], loss, near.any() and near.argmax() + 1, not np.isfinite(log.rows[:, 2:]).all(), log.A[0]
    done(1)
    return *map(np.atleast_1d, figures), log.A[steps, None]


def together(recipe, args, log, steps, model, done):
    """Train the runs of a row beside the script's own, whose log is given; `done(n)` is called after n of them.

    Returns `A`, the mean loss, the step of arrival (or 0), whether a number was not finite, the start [runs] each, and
    `A` [steps, runs] of the first runs at these steps. Raises `structure.Unknown` where run 1 is not the script's own.
    """
    try:
        return _together(recipe, args, log, steps, done)
    except (ValueError, TypeError, LookupError, NotImplementedError, tf.errors.OpError):
        raise structure.Unknown("a step of train() cannot be computed for many runs at once") from None


def _together(recipe, args, log, steps, done):
    step, target = Step(log.session), np.nan if recipe.target is None else recipe.target
    draws, found, curves = Draws(recipe, args, log, step), [], []
    with ThreadPoolExecutor(1) as pool:
        blocks = draws.blocks()
        coming = pool.submit(next, blocks, None)
        shape = min(args.steps, BLOCK), min(args.runs, RUNS) + 1, len(draws.x)
        loop = Loop(step, draws.start, shape, target, args.runs * args.steps > XLA_FROM)
        while block := coming.result():
            coming = pool.submit(next, blocks, None)
            chunk, before, begin, indices = block
            start, last = begin[2][step.parts.A.op], min(before + len(indices), args.steps)
            if before == 0:
                loop.reset(*begin)
                curves = curves or [start]
            first = before
            for end in sorted({last, *steps[(chunk == 0) & (steps > before) & (steps < last)]}):
                A, arrived, lost = loop.advance(indices, before, first, end)
                check(A[[0, -1]] if chunk == 0 else A[-1:], log.A[:end + 1])
                curves += [A] * (chunk == 0 and end in steps)
                first = end
            if last == args.steps:
                found.append([each[:-1] for each in (A, loop.mean_loss(), arrived, lost, start)])
                done(min(RUNS, args.runs - chunk * RUNS))
    columns = [np.concatenate(column)[:args.runs] for column in zip(*found, strict=True)]
    return *columns, np.array(curves)[:, :-1]


def check(A, log):
    """See that run 1's `A`, in all its places, is what the script's log has last."""
    largest = np.abs(log).max()
    if np.isfinite(largest) and not np.all(np.abs(A - log[-1]) <= ROUNDING * largest):
        raise structure.Unknown(f"beside others, run 1 comes to A = {A[0]!s}, not {log[-1]!s}, at step {len(log) - 1}")
