"""What the pictures of a run are drawn from, computed from its log and its model."""

import re

import numpy as np

from common.graph import structure
from common.graph.gradient import gradient

MOST = 3000  # steps that are drawn of a run, however long


def of_run(recipe, args, log, model, early, watcher=None):
    """{ending: (the picture's module, its numbers)} of all pictures that the flags ask for.

    early    why the run ended before its time, or None
    watcher  the `Trace`, or None
    """
    common = {"title": title(recipe), "made_by": made_by(args, log), "target": recipe.target, "early": early}
    pictures = {".png": ("run", {**common, **run(recipe, log, model)})}
    if watcher and watcher.nodes:
        pictures["-graph.png"] = "graph", {**common, "step": args.trace_step, "nodes": watcher.nodes, "update": watcher.update}
    if args.animate and model:
        pictures[".gif"] = "animation", {**common, **animation(recipe, log, model)}
    return pictures


def title(recipe):
    """The beginning of the script's first line."""
    return (recipe.train.__globals__["__doc__"] or recipe.name).split(",")[0].split("\n")[0]


def made_by(args, log):
    """What made the run, for the line under the title."""
    optimizer, rate = structure.optimizer(log.session.steps, log.session.parts.A)
    rate = "learning rate not constant" if rate is None else f"learning rate {rate:g}"
    steps = f"{len(log):,} step{'s' * (len(log) != 1)}"
    return f"{optimizer}, {rate}, seed {args.seed}, {steps}" if optimizer else f"an update of its own, seed {args.seed}, {steps}"


def run(recipe, log, model):
    """The numbers of `common.pictures.run`, and those that the moving picture shares with it."""
    steps = np.unique(np.linspace(0, len(log), MOST).astype(int))
    numbers = {"steps": steps, "A": log.A[steps], "loss": np.append(np.nan, log.loss)[steps], "threshold": recipe.threshold,
               "best": model and model.best}
    if model is None:
        return {**numbers, "grid": None}
    low, high, around = spans(log.A[steps], recipe.target, model.best)
    center = next(each for each in (model.best, recipe.target, log.A[0]) if each is not None)
    grid = np.sort(np.r_[np.linspace(low, high, 200), np.linspace(center - around, center + around, 200)])
    margin = 0.04 * np.ptp(model.x_vals)
    x = np.linspace(model.x_vals.min() - margin, model.x_vals.max() + margin, 200)
    with np.errstate(all="ignore"):
        losses = model.losses(grid)
        outputs = [model.output(x, A) for A in log.A[[0, -1]]]
    return {**numbers, "around": around, "grid": grid, "mean": losses.mean(axis=1), "singles": losses.T[:: -(-len(model.x_vals) // 6)],
            "x_vals": model.x_vals, "y_vals": model.y_vals, "x": x, "before": outputs[0], "after": outputs[1]}


def spans(A, target, best):
    """The range of `A` to draw the loss over, and how far the surroundings of its least value reach to both sides.

    The range holds the target, the least loss and the path; of a path that diverges, what lies within twice its way.
    """
    center = next((each for each in (best, target, A[0]) if each is not None))
    way = abs(A[0] - center)
    around = max(0.2 * way, 0.1 * abs(center), 3 * abs(center - (center if target is None else target)), 1e-6)
    path = np.clip(A[np.isfinite(A)], center - 2 * max(way, around), center + 2 * max(way, around))
    low, high = min(path.min(), center - around), max(path.max(), center + around)
    return low - 0.04 * (high - low), high + 0.04 * (high - low), around


def animation(recipe, log, model):
    """The numbers of `common.pictures.animation`."""
    from common.pictures.animation import frames_of

    steps, shared = frames_of(len(log)), run(recipe, log, model)
    x, y, A = log.x[steps - 1], log.y[steps - 1], log.A[steps - 1]
    with np.errstate(all="ignore"):
        own = model.losses(shared["grid"], x, y).T
        outputs = [model.output(shared["x"], each) for each in A]
        return {**shared, "steps": steps, "fed": x, "y": y, "before": A, "after": log.A[steps], "loss": model.loss(x, y, A),
                "gradient": gradient(model, x, y, A), "own": own, "model": outputs}
