"""What is said of a run when it has ended: its last lines, its record, and why it ended early."""

import numpy as np

from common import signals
from common.graph import structure
from common.graph.model import Model

FAR, NEAR = 100, 0.5  # from the target: ten times as far as `A` starts; and where it has arrived


def report(recipe, args, log, ended, output):
    """Print how the run ended, write its record, and what the flags ask for beyond the page."""
    model = model_of(recipe, args, log)
    early = ended_early(recipe, log, model, ended)
    if is_output(ended):
        output.lost(ended)
    elif early:
        output.failed(early, ended.code if isinstance(ended, signals.Stopped) else 1)
    if log.unknown:
        shown = "the log" if len(log) else "what train() prints"
        output.failed(f"nothing is shown beyond {shown}: {log.unknown}")
    if not len(log):
        return
    optimizer, rate = structure.optimizer(log.session.steps, log.session.parts.A)
    if otherwise := not_as_asked(args, args.rows[0], optimizer, rate):
        output.failed(otherwise)
    result = {"optimizer": optimizer, "learning_rate": shortest(rate), "A_start": shortest(log.A[0]),
              "A": shortest(log.A[-1]), "loss": shortest(log.loss[-1]), "steps": len(log),
              "ended_early": early, "target": recipe.target, "least_loss_A": model and model.best}
    lines = [f"Step #{len(log)} A = {log.A[-1:]}"] if len(log) % args.report_every else []
    output_name = getattr(log.session.parts.output, "name", "")
    if model and recipe.threshold is not None and output_name.startswith("prediction"):
        right = (model.output(model.x_vals, log.A[-1]) > recipe.threshold) == (model.y_vals > recipe.threshold)
        result["accuracy"] = float(np.mean(right))
        lines.append(f"Accuracy = {result['accuracy']:.2f}")
    if model:
        lines.append(in_theory(recipe.target, model))
    if lines and not early:
        output.print(*lines)
    output.record(".json", result)
    if args.figure:
        from common.pictures import numbers

        output.draw(numbers.of_run(recipe, args, log, model, early, log.watcher))
    if args.tensorboard:
        from common.backprop import tensorboard

        tensorboard.write(output, log, model)


def not_as_asked(args, row, optimizer, rate):
    """What is otherwise in the graph than the flags ask for in a row: a sentence, or None."""
    if args.optimizer and optimizer != row[0]:
        return f"train() does not train by {row[0]} alone, as --optimizer asks"
    if (args.optimizer or args.learning_rate) and rate not in (None, np.float32(row[1])):
        return f"the learning rate in train() is {rate!s}, where the flags ask for {np.float32(row[1])!s}"
    return None


def model_of(recipe, args, log):
    """The `Model` of a run; None, and `log.unknown` says why, where there is none."""
    np.random.seed(args.seed)
    try:
        return None if log.unknown else Model(log, recipe.draw_samples())
    except structure.Unknown as error:
        log.unknown = str(error)
        return None


def is_output(error):
    """Whether an error is that a line could not be printed."""
    return isinstance(error, OSError) and error.filename is None


def in_theory(target, model):
    """What `A` should come to, in a line."""
    if model.best is None:
        return "No single A has the least loss for these samples"
    least = f"the least loss for these samples is at A = {decimal(model.best)}"
    if target is None:
        return f"T{least[1:]}"
    if goal(target, model) == target:
        return f"In theory A = {target:g}; {least}"
    return f"T{least[1:]}, not near target={target:g} below train(): if you changed the data, change that too"


def goal(target, model):
    """The target, or where the loss is least if that is not near it or there is none; None: no `A` has the least."""
    near = None not in (target, model.best) and abs(model.best - target) <= NEAR
    return target if near else model.best


def ended_early(recipe, log, model, ended):
    """Why the run ended before its time or where it should not: a sentence without its full stop, or None."""
    after = f"after step {len(log)}"
    if is_output(ended):
        return f"stopped {after}, as it could not print"
    if ended:
        return f"{ended if isinstance(ended, signals.Stopped) else type(ended).__name__} {after}"
    target = recipe.target if model is None or model.best is None else model.best
    if len(log) and diverged(log.A[-1], log.loss[-1], target, log.A[0]):
        return divergence(log, model, target)
    return None


def divergence(log, model, target):
    """Why a run diverged that did, and what helps, as a sentence without its full stop."""
    finite = np.isfinite(log.rows).all(axis=1)
    steps = len(log) if finite.all() else int(np.argmin(finite)) + 1
    x, y, A, loss = log.rows[steps - 1]
    if not np.isfinite([x, y]).all():
        return f"step {steps} was fed x = {x!s} and y = {y!s}: feed finite numbers"
    what = f"A = {A:.8g} is far from {target:g}" if finite.all() else f"A = {A:.8g}, loss = {loss:.8g}"
    stable = model and model.stable_rate()
    limit = f" (gradient descent on these samples is stable below {stable:.3g})" if stable else ""
    return f"the run diverged by step {steps} ({what}): try a smaller learning rate{limit}"


def diverged(A, loss, target, start):
    """Whether a run that ends so diverged: a number is not finite, or `A` is far off, and farther than at the start.

    Works element by element; where there is no target, nothing that is finite is far.
    """
    finite = np.isfinite(A) & np.isfinite(loss)
    if target is None:
        return ~finite
    return ~finite | (np.abs(A - target) > np.maximum(FAR, np.abs(start - target)))


def decimal(number):
    """A number with four decimals, or six digits where these would hide it or run on."""
    return f"{number:.4f}" if number == 0 or 0.01 <= abs(number) < 1e5 else f"{number:.6g}"


def shortest(number):
    """A float32 as the shortest decimal that reads back as it; text where it is not finite, which JSON has not."""
    return None if number is None else float(str(number)) if np.isfinite(number) else str(number)
