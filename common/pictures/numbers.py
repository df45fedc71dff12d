"""What the pictures of a run are drawn from, computed from its log and its model, and the lines above them."""

import re

import numpy as np

from common.graph import structure
from common.graph.gradient import gradient
from common.pictures.style import number

MOST = 2000  # steps that are drawn of a run, evenly spaced: a picture of 100,000,000 costs what one of 2,000 does


def of_run(recipe, args, log, model, early, watcher=None):
    """{ending: (the picture's module, its numbers)} of all pictures that the flags ask for.

    early    why the run ended before its time, or None
    watcher  the `Trace`, or None
    """
    optimizer, rate = structure.optimizer(log.session.steps, log.session.parts.A)
    made = {"title": title(recipe), "target": recipe.target, **run(recipe, log, model)}
    made["message"] = message(made, rate, early)
    rate = "learning rate not constant" if rate is None else f"learning rate {rate:g}"
    how = f"{optimizer}, {rate}" if optimizer else "own update"
    made["made_by"] = f"{how}, seed {args.seed}, {count(len(log))}"
    pictures = {".png": ("run", made)}
    if watcher and watcher.nodes:
        traced = {"step": args.trace_step, "nodes": watcher.nodes, "update": watcher.update}
        pictures["-graph.png"] = "graph", {**made, **traced}
    if args.animate and model:
        pictures[".gif"] = "animation", {**made, **animation(made, log, model)}
    return pictures


def title(recipe):
    """The beginning of the script's first line."""
    return re.split("[:,.\n：，。]", (recipe.train.__globals__["__doc__"] or "").strip())[0] or recipe.name


def message(n, rate, early):
    """What the run shows, in a sentence: the picture's title, from its numbers as `run` makes them."""
    start, last = (number(A) for A in n["A"][np.isfinite(n["A"])][[0, -1]])
    at_rate = "" if rate is None else f"at rate {number(rate)}, "
    if early:
        left = f" and left this picture at step {n['left']:,}" if n["left"] else ""
        text = f"{re.split(r' [(]|: ', early)[0]}: {at_rate}A went from {start} to {last}{left}"
    else:
        text = f"{at_rate}A goes from {start} to {last} in {count(n['steps'][-1])}"
        goal, name = (n["target"], "the theory") if n["best"] is None else (n["best"], "where the loss is least")
        if goal is not None:
            text += f" and ends {number(abs(n['A'][-1] - goal), 3)} from {name}"
    return text[0].upper() + text[1:]


def count(steps):
    return f"{steps:,} step" if steps == 1 else f"{steps:,} steps"


def run(recipe, log, model):
    """The numbers of `common.pictures.run`, and those that the moving picture shares with it."""
    A, loss, best = log.A.astype(np.float64), log.loss.astype(np.float64), model and model.best
    low, high = span(A, recipe.target, best)
    last = min(len(log), 1 + np.flatnonzero((low <= A) & (high >= A))[-1])
    steps = np.union1d(np.linspace(0, len(log), MOST).astype(int), last)
    window = max(5, len(loss) // 40)
    means = loss[len(loss) % window:].reshape(-1, window).mean(axis=1)
    numbers = {"steps": steps, "A": A[steps], "loss": np.append(np.nan, loss)[steps], "window": window, "means": means,
               "mean_steps": len(loss) - window * np.arange(len(means))[::-1], "span": (low, high), "best": best,
               "hidden": np.sum(~((loss > 0) & (loss < np.inf))), "left": None if low <= A[-1] <= high else last,
               "unknown": log.unknown, "grid": None}
    if model is None:
        return numbers
    margin = 0.04 * np.ptp(model.x_vals) or 0.1
    x = np.linspace(model.x_vals.min() - margin, model.x_vals.max() + margin, 200)
    grid = np.linspace(low, high, 300)
    with np.errstate(all="ignore"):
        losses = model.losses(grid)
        before, after = (model.output(x, A) for A in log.A[[0, -1]])
    return {**numbers, "grid": grid, "mean": losses.mean(axis=1), "singles": losses[:, :: -(-len(model.x_vals) // 6)],
            "x_vals": model.x_vals, "y_vals": model.y_vals, "x": x, "before": before, "after": after,
            "threshold": np.nan if recipe.threshold is None else recipe.threshold}


def span(A, target, best):
    """The range of `A` to draw: the path, the least loss and the target; of a way far off, twice the way there."""
    path = A[np.isfinite(A)]
    goals = [each for each in (best, target) if each is not None]
    center = [*goals, path[-1]][0]
    way = max(abs(A[0] - center), 0.1 * abs(center), 1e-6)
    seen = [path.min(), path.max(), *goals, center - 0.2 * way, center + 0.2 * way]
    seen = np.clip(seen, center - 2 * way, center + 2 * way)
    margin = 0.04 * np.ptp(seen)
    return seen.min() - margin, seen.max() + margin


def animation(n, log, model):
    """The numbers of `common.pictures.animation` beyond those of the run's picture."""
    steps, phase = frames_of(n["left"] or len(log))
    x, y, A = (column.astype(np.float64) for column in (log.x[steps - 1], log.y[steps - 1], log.A[steps - 1]))
    after = log.A[steps].astype(np.float64)
    with np.errstate(all="ignore"):
        outputs = [model.output(n["x"], each) for each in A]
        return {"steps": steps, "phase": phase, "fed": x, "y": y, "before": A, "after": after,
                "loss": model.loss(x, y, A), "loss_after": model.loss(x, y, after),
                "gradient": gradient(model, x, y, A), "own": model.losses(n["grid"], x, y).T,
                "model": None if outputs[0] is None else np.array(outputs)}


def frames_of(steps):
    """The step that each frame shows, int64 [at most 82] ascending, of a run of `steps` steps, and its phase.

    The first five steps have a frame for each of the phases 0 to 2, the others one, of phase 3. Of many steps, half of
    those shown are evenly spread and half ever farther apart, since a run moves most in its beginning.
    """
    chosen = np.arange(1, steps + 1) if steps <= 60 else np.unique(
        np.rint([np.linspace(1, steps, 36), np.geomspace(1, steps, 36)]).astype(int))
    first, others = chosen[:5], chosen[5:]
    return np.append(np.repeat(first, 3), others), np.append(np.tile([0, 1, 2], len(first)), np.full(len(others), 3))
