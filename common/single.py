"""A single run: trained by the recipe's own `train`, and what it leaves behind however it ends."""

import contextlib
import math

import numpy as np

from common import run
from common import tf1 as tf
from common.backprop.tensorboard import Board
from common.backprop.trace import Trace
from common.comparison import optimizers
from common.ending import surroundings
from common.ending.model import model_of
from common.pictures import animation, graph, training
from common.run import count


def train(recipe, args, signals, output, artist):
    """Run the recipe's own `train`, and write what it leaves behind however it ends: the log first, then the rest."""
    make_optimizer = None if args.own else lambda: optimizers.OPTIMIZERS[args.optimizer](args.learning_rate)
    trace = Trace(args) if args.trace else None
    board = Board(args) if args.tensorboard else None
    made, failure = run.Run(args, make_optimizer, [each for each in (trace, board) if each], signals), None
    signals.patience = 1
    try:
        recipe.train(made, learning_rate=args.learning_rate, steps=args.steps, report_every=args.report_every)
        signals.patience = math.inf  # the log is written whatever comes
        made.drain()
    except BaseException as error:  # what is in the log is written first
        failure, signals.patience = error, math.inf
        with contextlib.suppress(Exception):
            made.drain()
    made.let_go()
    if not len(made):  # nothing was trained, and no earlier file is to be lost for it
        raise failure or SystemExit(run.UNLOGGED)
    output.save(".csv", made.csv)
    signals.patience = 0
    early = None
    try:
        model = model_of(recipe.graph, made.x_vals, made.y_vals)
        early = ended_early(recipe, made, model, signals, failure)
        if output_gone(failure):
            output.print_failed(failure)
        elif early:
            output.failed(*early)
        why = early[0] if early else failure and f"{type(failure).__name__} after step {len(made)}"
        finish(recipe, made, model, output, artist, trace, why)
    except surroundings.Stopped:
        output.failed(f"stopped by {signals.name}; what is not named as written is not written", signals.status)
    finally:
        if board:
            board.close()
            if board.broken:
                output.failed(f"cannot write for TensorBoard in '{args.tensorboard}' ({board.broken})")
            elif board.path:
                output.paths.append(board.path)
        made.files, made.status = output.paths, output.end()
    if failure and not early:
        raise failure
    return made


def output_gone(failure):
    """Whether what ended the training is that a line could not be printed."""
    return isinstance(failure, OSError) and failure.filename is None


def ended_early(recipe, made, model, signals, failure):
    """Why the run ended before its time or where it should not: a sentence and an exit status, or None."""
    steps, A, loss = len(made), made.A[-1], made.loss[-1]
    if signals.noted:
        return f"stopped by {signals.name} after step {steps}", signals.status
    if output_gone(failure):
        return f"stopped after step {steps}, as it could not print", 1
    if isinstance(failure, MemoryError):
        return f"there is not enough memory for more than {count(steps, 'step')}", 1
    by_itself = failure is None or isinstance(failure, tf.errors.InvalidArgumentError)
    if by_itself and run.diverged(A, loss, recipe.target, made.A[0]):
        limits = model and model.limits()
        below = f" (gradient descent on these samples is stable below {limits['variance']:.3f})" if limits else ""
        what = f"A = {A!s}, loss = {loss!s}"
        if np.isfinite(A) and np.isfinite(loss):
            what = f"A = {A!s} is more than {run.FAR:g} away from {recipe.target:g}"
        rate = made.made_by()[1]
        rate = "its learning rate" if rate is None else f"learning rate {rate!s}"
        return f"the run diverged at step {steps} with {rate} ({what}): try a smaller one{below}", 1
    return None


def finish(recipe, made, model, output, artist, trace, why):
    """All that comes after the log: the last lines, the record and the pictures, computed from the recipe's graph."""
    args = made.args
    optimizer, rate = made.made_by()
    numbers = {"learning_rate": rate, "A_start": made.A[0], "A": made.A[-1], "loss": made.loss[-1]}
    result = {"optimizer": optimizer, **{name: shortest(number) for name, number in numbers.items()},
              "steps": len(made), "ended_early": why, "target": recipe.target}
    best = None
    if model is None:
        output.print("(graph() cannot be computed in double precision, as with a tf.constant or a variable in it: "
                     "nothing is computed from it.)")
        artist = None
    elif not model.gives(made.x, made.y, made.A[1:], made.loss):
        output.print("(The loss that train() minimizes is not that of graph(): nothing is computed from graph().)")
        artist = None
    elif np.isfinite(recipe.target):
        best = model.least(recipe.target - 20, recipe.target + 20)
        result["least_loss_A"] = best
        lines = [f"In theory A = {recipe.target:g}"]
        if best is not None:
            lines[0] += f"; the least loss for these samples is at A = {best:.4f}"
        if recipe.threshold is not None:
            right = (model.output(made.x_vals, made.A[-1]) > recipe.threshold) == (made.y_vals > recipe.threshold)
            result["accuracy"] = float(np.mean(right))
            lines.insert(0, f"Accuracy = {result['accuracy']:.2f}")
        if len(made) % args.report_every:
            lines.insert(0, f"Step #{len(made)} A = {made.A[-1:]!s}")
        if not why:
            output.print(*lines)
    if artist:
        made_by = optimizer or "an update of its own"
        if optimizer:
            made_by += ", learning rate not constant" if rate is None else f", learning rate {rate:g}"
        by = f"{made_by}, seed {args.seed}, {count(len(made), 'step')}"
        draw(recipe, made, model, best, by, output, artist, trace, meanwhile=lambda: output.record(".json", result))
    else:
        output.record(".json", result)


def shortest(number):
    """A float32 as the shortest decimal that reads back as it; infinity and nan, which JSON has not, as text.

    None stays None.
    """
    if number is None:
        return None
    return float(str(number)) if np.isfinite(number) else str(number)


def draw(recipe, made, model, best, made_by, output, artist, trace, meanwhile):
    """Draw the pictures that the flags ask for; `meanwhile()` is called while the first is being drawn."""
    A, x_vals, y_vals = made.A, made.x_vals, made.y_vals
    grid, margin = training.grid(A, recipe.target, best), 0.04 * np.ptp(x_vals)
    x = np.linspace(x_vals.min() - margin, x_vals.max() + margin, 200)
    few = slice(None, None, -(-len(x_vals) // 6))

    def boundary(A):
        return None if recipe.threshold is None else model.crossing(recipe.threshold, A, x[0] - 20, x[-1] + 20)

    with np.errstate(all="ignore"):
        losses = model.losses(grid)
        common = {"title": recipe.title, "made_by": made_by, "target": recipe.target, "best": best, "x_vals": x_vals,
                  "y_vals": y_vals}
        output.draw(".png", artist, training.png, {
            **common, "path": training.summary(A, made.loss), "x": x, "before": model.output(x, A[0]),
            "after": model.output(x, A[-1]), "boundary": boundary(A[-1]),
            "curve": {"A": grid, "mean": losses.mean(axis=1), "singles": losses.T[few]}}, meanwhile)
        if trace and trace.step:
            output.draw("-graph.png", artist, graph.png, trace.picture(recipe.title, made_by))
        if made.args.animate:
            steps = animation.shown(len(made))
            fed, y, before = made.x[steps - 1], made.y[steps - 1], A[steps - 1]
            loss, gradient = model.at(fed, y, before)
            numbers = {
                **common, "steps": steps, "x": fed, "y": y, "A_before": before, "A_after": A[steps], "loss": loss,
                "gradient": gradient, "grid": grid, "mean": losses.mean(axis=1), "own": model.losses(grid, fed, y).T,
                "curve_x": x, "model": np.reshape(
                    model.output(np.tile(x, len(steps)), np.repeat(before, len(x))), (-1, len(x))),
                "boundary": None if recipe.threshold is None else [boundary(each) for each in before]}
            with surroundings.progress(len(steps), "frames") as bar:
                output.draw(".gif", artist, animation.gif, numbers,
                            progress=bar and (lambda done, total: bar.update(done - bar.n)))
