"""A single run: trained by the script's own `train`, and what it leaves behind however it ends."""

import numpy as np

from common import signals
from common import tf1 as tf
from common.comparison import optimizers
from common.graph import structure
from common.graph.model import Model
from common.log import Diverged, Log

FAR = 100  # ten times as far from its target as `A` starts
NEAR = 0.5  # closer to its target, `A` has arrived


def run(recipe, args, output):
    """Train as the flags say, write the log, then all that is computed from it, however the run ends; returns the log."""
    watcher = None
    if args.trace:
        from common.backprop.trace import Trace

        watcher = Trace(args)
    log, ended = train(recipe, args, args.rows[0], watcher)
    if len(log):
        output.save(".csv", log.write)
    ended = ended or signals.release()
    if not len(log) and (ended or not log.unknown):  # nothing was trained, and no earlier file is to be lost for it
        raise ended or SystemExit("train() takes no step: let it execute sess.run(train_step, feed_dict=…) in a tf.Session().")
    try:
        tell(recipe, args, output, log, ended)
    except signals.Stopped as stopped:
        output.failed(f"{stopped}; what is not named as written is not written", 128 + stopped.args[0])
    if ended and not isinstance(ended, (signals.Stopped, Diverged, MemoryError)) and not is_output(ended):
        raise ended
    return log


def train(recipe, args, row, watcher=None):
    """Have the script train with a row's optimizer and learning rate; its log, and the exception that ended it or None.

    Signals are held back from the end of the training on.
    """
    (optimizer, rate), log, ended = row, Log(watcher), None
    Log.current = log
    try:
        recipe.train(seed=args.seed, learning_rate=rate, steps=args.steps, report_every=args.report_every,
                     optimizer=None if args.own_optimizer else optimizers.OPTIMIZERS[optimizer](rate))
        signals.hold()
    except signals.Stopped as stopped:
        ended = stopped
    except BaseException as error:
        signals.hold()
        ended = error
    Log.current = None
    if log.session:
        log.session.finish()
    return log, ended


def is_output(error):
    """Whether an error is that a line could not be printed."""
    return isinstance(error, OSError) and error.filename is None


def tell(recipe, args, output, log, ended):
    """Print how the run ended, write its record, and what the flags ask for beyond the page."""
    model = model_of(recipe, args, log)
    best = model and model.best
    early = ended_early(recipe, log, model, ended)
    if is_output(ended):
        output.gone(ended)
    elif early:
        output.failed(*early)
    if log.unknown:
        output.failed(f"nothing is shown beyond the log: {log.unknown}")
    if not len(log):
        return
    made = made_by(log)
    check_flags(args, output, made)
    result = {"optimizer": made[0], "learning_rate": shortest(made[1]), "A_start": shortest(log.A[0]),
              "A": shortest(log.A[-1]), "loss": shortest(log.loss[-1]), "steps": len(log),
              "ended_early": early and early[0], "target": recipe.target, "least_loss_A": best}
    lines = [f"Step #{len(log)} A = {log.A[-1:]}"] if len(log) % args.report_every else []
    if recipe.threshold is not None and model and log.session.parts.output.op.name == "prediction":
        right = (model.output(model.x_vals, log.A[-1]) > recipe.threshold) == (model.y_vals > recipe.threshold)
        result["accuracy"] = float(np.mean(right))
        lines.append(f"Accuracy = {result['accuracy']:.2f}")
    if not early:
        output.print(*lines, in_theory(recipe.target, best))
    output.record(".json", result)
    if args.figure:
        from common.pictures import numbers

        output.draw(numbers.of_run(recipe, args, log, model))
    if args.tensorboard:
        from common.backprop import tensorboard

        tensorboard.write(output, log, model)


def model_of(recipe, args, log):
    """The `Model` of a run's graph over the run's samples; None, and `log.unknown` says why, where they are not known."""
    if log.unknown:
        return None
    try:
        model = Model(log.session.parts, recipe.samples(args.seed), log.session.others)
    except structure.Unknown as error:
        log.unknown = str(error)
        return None
    fed = zip((log.x, log.y), (model.x_vals, model.y_vals), strict=True)
    known = slice(-1 if log.session.others else 0, None)  # of the other variables, the last values are known
    if not all(np.isin(ours, drawn.astype(ours.dtype)).all() for ours, drawn in fed):
        log.unknown = "train() feeds other samples than draw_samples() draws"
    elif not model.gives(log.x[known], log.y[known], log.A[1:][known], log.loss[known]):
        log.unknown = "the loss is another one when it is computed again"
    else:
        model.best = model.least(log.A[-1] if np.isfinite(log.A[-1]) else log.A[0])
        return model
    return None


def made_by(log):
    """The optimizer by its name here and its learning rate, both read from the graph; None where not known."""
    session = log.session
    updates = {op for step in session.steps for op in structure.changes(step, session.parts.A)}
    if len(updates) != 1 or "Apply" not in next(iter(updates)).type:
        return None, None
    return structure.optimizer(next(iter(updates)))


def check_flags(args, output, made):
    """Say so where the script trains otherwise than the flags ask for."""
    (optimizer, rate), (own_optimizer, own_rate) = args.rows[0], made
    if not args.own_optimizer and optimizer != own_optimizer:
        output.failed(f"--optimizer {optimizer} has no effect, since train() declares another optimizer")
    elif not (args.own_optimizer and args.own_rate) and own_rate not in (None, np.float32(rate)):
        output.failed(f"the learning rate {rate:g} has no effect, since train() declares {own_rate:g}")


def ended_early(recipe, log, model, ended):
    """Why the run ended before its time or where it should not: a sentence and an exit status, or None."""
    steps = len(log)
    if isinstance(ended, signals.Stopped):
        return f"{ended} after step {steps}", 128 + ended.args[0]
    if isinstance(ended, MemoryError):
        return f"there is not enough memory for more than {steps:,} steps", 1
    if is_output(ended):
        return f"stopped after step {steps}, as it could not print", 1
    if ended and not isinstance(ended, Diverged):
        return f"{type(ended).__name__} after step {steps}", 1
    if not steps:
        return None
    x, y, A, loss = log.rows[-1]
    if not np.isfinite([x, y]).all():
        return f"step {steps} was fed x = {x!s}, y = {y!s}: these must be finite numbers", 1
    target = recipe.target if model is None or model.best is None else model.best
    if not diverged(A, loss, target, log.A[0]):
        return None
    what = f"A = {A!s}, loss = {loss!s}"
    if np.isfinite([A, loss]).all():
        what = f"A = {A!s} is more than {FAR} away from {decimal(target)}"
    rate = made_by(log)[1]
    stable = model and model.stable()
    return (f"the run diverged at step {steps} with " + ("its learning rate" if rate is None else f"learning rate {rate!s}")
            + f" ({what}): try a smaller one"
            + (f" (gradient descent on these samples is stable below {stable:.3g})" if stable else "")), 1


def diverged(A, loss, target, start):
    """Whether a run that ends so diverged: a number is not finite, or `A` is far off, and farther than at the start.

    Works element by element; where there is no target, nothing that is finite is far.
    """
    finite = np.isfinite(A) & np.isfinite(loss)
    if target is None:
        return ~finite
    return ~(finite & (np.abs(A - target) <= np.maximum(FAR, np.abs(start - target))))


def in_theory(target, best):
    """What `A` should come to, as a line."""
    least = "" if best is None else f"the least loss for these samples is at A = {decimal(best)}"
    if target is None:
        return least.capitalize()
    if best is not None and abs(best - target) > NEAR:
        return f"The {least[4:]}, far from target={target:g} at the end of the script: change it with the data"
    return f"In theory A = {target:g}" + (f"; {least}" if least else "")


def decimal(number):
    """A number with four decimals, or six digits where these would hide it or run on."""
    return f"{number:.4f}" if number == 0 or 0.01 <= abs(number) < 1e5 else f"{number:.6g}"


def shortest(number):
    """A float32 as the shortest decimal that reads back as it; text where it is not finite, which JSON has not."""
    if number is None:
        return None
    return float(str(number)) if np.isfinite(number) else str(number)
