"""What the pictures of a run are drawn from, computed from its log and its model."""

import numpy as np

from common.graph import structure
from common.graph.gradient import gradient
from common.pictures.message import made_by, message, scale, title

MOST = 3000  # steps that are drawn of a run: a picture of 100,000,000 costs what one of 3,000 does


def of_run(recipe, args, log, model, early, watcher=None):
    """{ending: (the picture's module, its numbers)} of all pictures that the flags ask for.

    early    why the run ended before its time, or None
    watcher  the `Trace`, or None
    """
    made = {"title": title(recipe), "made_by": made_by(args, log), "target": recipe.target, "early": early}
    made.update(run(recipe, log, model))
    made["message"] = message(made, structure.optimizer(log.session.steps, log.session.parts.A)[1])
    pictures = {".png": ("run", made)}
    if watcher and watcher.nodes:
        traced = {"step": args.trace_step, "nodes": watcher.nodes, "update": watcher.update}
        pictures["-graph.png"] = "graph", {**made, **traced}
    if args.animate and model:
        pictures[".gif"] = "animation", {**made, **animation(made, log, model)}
    return pictures


def run(recipe, log, model):
    """The numbers of `common.pictures.run`, and those that the moving picture shares with it."""
    A, loss, best = log.A.astype(np.float64), log.loss.astype(np.float64), model and model.best
    low, high = span(A, recipe.target, best)
    inside = np.flatnonzero((low <= A) & (high >= A))[-1]
    drawn = np.union1d(thin(A[1:]), thin(loss))
    steps = np.append(0, drawn + 1)
    finite = np.isfinite(loss) & np.isfinite(A[1:])
    numbers = {"steps": steps, "A": A[steps], "loss": np.append(np.nan, loss[drawn]),
               "zeros": np.sum(loss == 0), "broken": None if finite.all() else 1 + np.argmin(finite),
               "left": None if inside == len(log) else 1 + inside, "span": (low, high), "best": best,
               "unknown": log.unknown, "threshold": recipe.threshold, "grid": None, **running_mean(loss)}
    if model is None:
        return numbers
    margin = 0.04 * np.ptp(model.x_vals) or 0.1
    x = np.linspace(model.x_vals.min() - margin, model.x_vals.max() + margin, 200)
    grid = np.linspace(low, high, 300)
    with np.errstate(all="ignore"):
        losses = model.losses(grid)
        before, after = (model.output(x, A) for A in log.A[[0, -1]])
    return {**numbers, "grid": grid, "mean": losses.mean(axis=1), "singles": losses.T[:: -(-len(model.x_vals) // 6)],
            "x_vals": model.x_vals, "y_vals": model.y_vals, "x": x, "before": before, "after": after}


def thin(values, most=MOST // 2):
    """Which of `values` [n] to draw: indices, int64 [<= most], ascending.

    Most are evenly spaced, so that a long run looks as a short one does; the others are the least, the greatest and the
    first that is not finite of each of most / 16 pieces.
    """
    if len(values) <= most:
        return np.arange(len(values))
    kept = np.linspace(0, len(values) - 1, 3 * most // 4).astype(int).tolist()
    bounds = np.linspace(0, len(values), most // 16 + 1).astype(int)
    for low, piece in zip(bounds, np.split(values, bounds[1:-1]), strict=False):
        finite = np.isfinite(piece)
        kept += [low + np.argmin(np.where(finite, piece, np.inf)), low + np.argmax(np.where(finite, piece, -np.inf)),
                 low + np.argmin(finite)]
    return np.unique(kept)


def running_mean(loss):
    """The mean of the loss [steps] over the last `window` steps: `mean` [<= 2000], at `mean_steps`."""
    size = 1 + len(loss) // 2000  # of the blocks that the mean is made of
    blocks = loss[len(loss) % size :].reshape(-1, size).mean(axis=1)
    wide = max(5, len(blocks) // 20)
    mean = np.lib.stride_tricks.sliding_window_view(blocks, wide).mean(axis=1) if len(blocks) > wide else blocks[:0]
    return {"mean_steps": len(loss) - size * np.arange(len(mean))[::-1], "running": mean, "window": size * wide}


def span(A, target, best):
    """The range of `A` to draw: the path, the least loss and the target; of a way far off, twice the way there."""
    center = next(each for each in (best, target, A[0]) if each is not None)
    way = scale(A, center)
    seen = [*A[np.isfinite(A)], center - 0.2 * way, center + 0.2 * way, center if target is None else target]
    seen = np.clip(seen, center - 2 * way, center + 2 * way)
    margin = 0.04 * np.ptp(seen)
    return seen.min() - margin, seen.max() + margin


def animation(n, log, model):
    """The numbers of `common.pictures.animation` beyond those of the run's picture."""
    steps = frames_of(len(log))
    x, y, A = (column.astype(np.float64) for column in (log.x[steps - 1], log.y[steps - 1], log.A[steps - 1]))
    with np.errstate(all="ignore"):
        outputs = [model.output(n["x"], each) for each in A]
        return {"steps": steps, "fed": x, "y": y, "before": A, "after": log.A[steps].astype(np.float64),
                "loss": model.loss(x, y, A), "gradient": gradient(model, x, y, A),
                "own": model.losses(n["grid"], x, y).T,
                "model": None if outputs[0] is None else np.array(outputs)}


def frames_of(steps):
    """The step that each frame shows, int64 [40 to 90] ascending, of a run of `steps` steps.

    A step has several frames, for its phases, if there are few steps, or in the beginning. Of many steps, half of those
    shown are evenly spread and half ever farther apart, since a run moves most in its beginning.
    """
    if steps <= 30:
        return np.repeat(np.arange(1, steps + 1), max(3, -(-40 // steps)))
    chosen = np.arange(1, steps + 1) if steps <= 60 else np.unique(
        np.rint([np.linspace(1, steps, 36), np.geomspace(1, steps, 36)]).astype(int))
    return np.sort(np.append(chosen, np.repeat(chosen[:5], 2)))
