"""What the pictures of a run are drawn from, computed from its log and model, and the lines above and below them."""

import re

import numpy as np

from common.graph import structure
from common.pictures.style import count, number

MOST = 2000  # steps that are drawn of a run, evenly spaced: a picture of 100,000,000 costs what one of 2,000 does


def of_run(recipe, args, log, model, early, trace=None):
    """{ending: (the picture's module, its numbers)} of what the flags ask for; `early`: why the run ended, or None."""
    optimizer, rate = structure.optimizer(log.session.steps, log.session.parts.A)
    made = {"title": title(recipe), **run(recipe, log, model)}
    made["message"] = message(made, rate, early)
    made["made_by"] = f"{made['title']}; {optimizer or 'own update'}, seed {args.seed}, {count(len(log))}"
    pictures = {".png": ("run", made)}
    if trace and trace.nodes:
        pictures["-graph.png"] = "graph", made | {"step": args.trace_step, "nodes": trace.nodes, "update": trace.update}
    if args.animate and model:
        pictures[".gif"] = "animation", {**made, **animation(made, log, model)}
    return pictures


def title(recipe):
    """The beginning of the script's first line."""
    return re.split("[:,.\n：，。]", (recipe.train.__globals__["__doc__"] or "").strip())[0] or recipe.path.stem


def message(n, rate, early):
    """What the run shows, in a sentence: the picture's title, from its numbers as `run` makes them."""
    told = np.flatnonzero(np.isfinite(n["A"]))[[0, -1]]
    start, last = (number(A) for A in n["A"][told])
    goal, name = (n["target"], "the theory") if n["best"] is None else (n["best"], "where the loss is least")
    text = f"A goes from {start} to {last} in {count(n['steps'][told[1]])}"
    text = text if rate is None else f"At rate {number(rate)}, {text}"
    if early:
        text += f" and leaves this picture at step {n['left']:,}" if n["left"] else ""
        return re.split(r" [(]|: ", early[0].upper() + early[1:])[0] + f": {text[0].lower()}{text[1:]}"
    return text if goal is None else f"{text} and ends {number(abs(n['A'][-1] - goal), 3)} from {name}"


def run(recipe, log, model):
    """The numbers of `common.pictures.run`, and those that the moving picture shares with it.

    steps, A, loss [points]  what is drawn of the run, from step 0 on, whose loss is nan: one step in `every`
    window, means [2, m]     last steps of so many steps each, and the mean losses of these
    target, best             A in theory, and with the least loss over these very samples (None: not known)
    span, left               the range of A that is drawn; the first step from which A lies outside, or None
    unknown                  why what follows is not known, then `grid` is None; or None
    grid, mean [k]           the mean loss of all samples over A
    x_vals, y_vals [samples], x, before, after [p]  the samples; the model's output with the first and last A, or None
    """
    A, loss, best = log.A.astype(np.float64), log.loss.astype(np.float64), model and model.best
    low, high = span(A, recipe.target, best)
    last, every = min(len(log), 1 + np.flatnonzero((low <= A) & (high >= A))[-1]), -(-len(log) // MOST)
    steps = np.unique([*range(0, len(log), every), last, len(log)])
    window = max(min(5, len(loss)), len(loss) // 40)
    ends = np.arange(len(loss), window - 1, -window)[::-1]
    means = loss[len(loss) % window:].reshape(-1, window).mean(axis=1)
    numbers = {"steps": steps, "A": A[steps], "loss": np.append(np.nan, loss)[steps], "every": every, "window": window,
               "means": np.array([ends, means]), "target": recipe.target, "best": best, "span": (low, high),
               "left": None if low <= A[-1] <= high else last, "unknown": log.unknown, "grid": None}
    if model is None:
        return numbers
    x, grid = np.linspace(model.x_vals.min(), model.x_vals.max(), 200), np.linspace(low, high, 300)
    with np.errstate(all="ignore"):
        before, after = (model.output(x, A) for A in log.A[[0, -1]])
        return {**numbers, "grid": grid, "mean": model.losses(grid).mean(axis=1), "x_vals": model.x_vals,
                "y_vals": model.y_vals, "x": x, "before": before, "after": after}


def span(A, target, best):
    """The range of `A` to draw: the path, the least loss and the target; of a way far off, twice the way there."""
    path = A[np.isfinite(A)]
    goals = [goal for goal in (best, target) if goal is not None] or [path[-1]]
    way = max(abs(A[0] - goals[0]), 0.1 * abs(goals[0]), 1e-6) * np.array([-1, 1])
    seen = np.clip([*path, *goals, *(goals[0] + 0.2 * way)], *(goals[0] + 2 * way))
    margin = 0.04 * np.ptp(seen)
    return seen.min() - margin, seen.max() + margin


def animation(n, log, model):
    """The numbers of `common.pictures.animation` beyond those of the run's picture.

    steps, fed, y [frames]      the step that a frame shows, and the sample and target fed in it
    A, loss [frames, 2]         before and after that step, and that sample's loss there
    gradient [frames], own [frames, k], model [frames, p]  with A before it: of that loss; that loss over A; the output
    """
    steps = frames_of(n["left"] or len(log))
    x, y = (column[steps - 1].astype(np.float64) for column in (log.x, log.y))
    A = np.stack([log.A[steps - 1], log.A[steps]], 1).astype(np.float64)
    with np.errstate(all="ignore"):
        outputs = [model.output(n["x"], each) for each in A[:, 0]]
        return {"steps": steps, "fed": x, "y": y, "A": A, "loss": np.stack([model.loss(x, y, each) for each in A.T], 1),
                "gradient": model.loss(x, y, A[:, 0], order=1), "own": model.losses(n["grid"], x, y).T,
                "model": None if outputs[0] is None else np.array(outputs)}


def frames_of(steps):
    """The step that each frame shows, int64 [at most 70] ascending: each of the first five thrice, then some evenly."""
    chosen = np.unique([*range(1, min(steps, 5) + 1), *np.linspace(1, steps, 55).astype(int)])
    return np.append(np.repeat(chosen[:5], 3), chosen[5:])
