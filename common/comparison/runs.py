"""The runs of one row of the table: the script's own, and others beside it with random numbers of their own."""

import contextlib
import io
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from common import report
from common.comparison.draws import Draws, Step, refusals
from common.comparison.training_loop import Loop
from common.graph import structure
from common.recipe import train

XLA_FROM = 4 * 1024 * 1400  # runs times steps; below, compiling takes longer than it saves
# So many times as far as at the check before, or as rounding goes, run 1 may be from the script's own run: the session,
# the loop and XLA round in their own ways, and training at a large rate magnifies that from step to step. What a script
# does otherwise shows at once.
GROWTH, EPS = 1000, np.finfo(np.float32).eps


def own_run(recipe, args, row):
    """Have the script train, without what it prints; returns its log.

    Raises what ended the training, and `structure.Unknown` where the log does not tell of it.
    """
    with contextlib.redirect_stdout(io.StringIO()):
        log, ended = train(recipe, args, row)
    if ended:
        raise ended
    if log.unknown or not len(log):
        raise structure.Unknown(log.unknown or "train() takes no step in a tf.Session()")
    return log


def alone(recipe, log, steps, model):
    """What `together` returns, of the script's own run; the mean loss is the model's, nan without one."""
    near = np.abs(log.A[1:] - (np.nan if recipe.target is None else recipe.target)) < report.NEAR
    loss = np.nan if model is None else model.losses(log.A[-1:]).mean()
    arrived = near.argmax() + 1 if near.any() else np.inf
    return *map(np.atleast_1d, (log.A[-1], loss, arrived, log.A[0])), log.A[steps, None]


def together(recipe, args, log, steps, done):
    """Train the runs of a row beside the script's own, whose log is given; `done(n)` is called after n of them.

    Returns `A`, the mean loss, the step of arrival (or inf) and the start [runs] each, and `A` [steps, runs] of the
    first runs at these steps. Raises `structure.Unknown` where run 1 is not the script's own.
    """
    step, target = Step(log.session), np.nan if recipe.target is None else recipe.target
    draws, ends, curves, off = Draws(recipe, args, log, step), [], [], 0
    with refusals():
        loop = Loop(step, draws, target, args.runs * args.steps > XLA_FROM)
    for chunk, begin in enumerate(ahead(draws.chunks())):
        loop.reset(*begin)
        start = begin[-1][step.parts.A.op]
        curves = curves or [start]
        for before, indices in ahead(draws.blocks(chunk)):
            loop.take(before, indices)
            last = min(before + len(indices), args.steps)
            between = [] if chunk else steps[(steps > before) & (steps < last)]
            for end in [*between, last]:
                with refusals():
                    A, arrived = loop.advance(end)
                if chunk == 0:
                    off = check(A[0], log.A[: end + 1], off)
                    curves += [A] * (end in steps)
        ends.append((A, loop.mean_loss(), arrived, start))
        done(min(len(A), args.runs - chunk * len(A)))
    return *(np.concatenate(column)[: args.runs] for column in zip(*ends, strict=True)), np.array(curves)


def ahead(iterator):
    """What an iterator yields, each computed in a second thread while the one before it is used."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, iterator, None)
        while item := coming.result():
            coming = pool.submit(next, iterator, None)
            yield item


def check(A, log, before):
    """See that run 1's `A` is what the script's log has last, but for rounding; returns how far it is off."""
    largest = np.abs(log).max()
    off = abs(A - log[-1]) if np.isfinite(largest) else before
    if np.isfinite(largest) and not off <= GROWTH * max(before, EPS * largest):
        raise structure.Unknown(f"beside others, run 1 comes to A = {A!s}, not {log[-1]!s}, at step {len(log) - 1}")
    return off
