"""What the lines above a run's pictures say: in a sentence what it shows, and the settings that it comes from."""

import re

import numpy as np

from common.graph import structure
from common.pictures.style import number


def title(recipe):
    """The beginning of the script's first line."""
    return re.split("[:,.\n:,。]", (recipe.train.__globals__["__doc__"] or "").strip())[0] or recipe.name


def made_by(args, log):
    """What made the run, for the line under the title."""
    optimizer, rate = structure.optimizer(log.session.steps, log.session.parts.A)
    rate = "learning rate not constant" if rate is None else f"learning rate {rate:g}"
    steps = f"{len(log):,} step{'s' * (len(log) != 1)}"
    return f"{optimizer}, {rate}, seed {args.seed}, {steps}" if optimizer else f"own update, seed {args.seed}, {steps}"


def message(n, rate):
    """What the run shows, in a sentence: the picture's title, from its numbers as `run` makes them."""
    start, last = (number(A) for A in n["A"][np.isfinite(n["A"])][[0, -1]])
    last_step = int(n["steps"][-1])
    at_rate = "" if rate is None else f"at rate {number(rate)}, "
    if n["early"]:
        left = f" and left this picture at step {n['left']:,}" if n["left"] else ""
        what = f"{re.split(r' [(]|: ', n['early'])[0]}: {at_rate}A went from {start} to {last}{left}"
    else:
        what = f"{at_rate}A goes from {start} to {last} in {last_step:,} step{'s' * (last_step != 1)}"
        if n["best"] is not None:
            what += ending(n, n["best"], "the least loss")
        elif n["target"] is not None:
            what += ending(n, n["target"], "the theory")
    return what[0].upper() + what[1:]


def ending(n, goal, name):
    """How a run ends that nothing stopped: near its goal, which has a name, or not."""
    far = np.abs(n["A"] - goal)
    near = 0.1 * scale(n["A"], goal)
    if far[n["steps"] >= 0.8 * n["steps"][-1]].max() <= near:
        return f" and stays about {name}"
    if far[-1] <= near:
        return f" and comes near {name}"
    return f" and is still {number(far[-1], 3)} from {name}" if far[-1] < far[0] else f" and moves away from {name}"


def scale(A, center):
    """How far `A` [steps + 1] has to go to a center; of a run that starts there, how far it steps; never 0."""
    return max(abs(A[0] - center) or abs(np.nan_to_num(A[1] - A[0], posinf=0, neginf=0)), 0.1 * abs(center), 1e-6)
