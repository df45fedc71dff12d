"""The picture of one run: the loss over A with the run on it; A, the loss and the model before and after."""

import math
from itertools import pairwise

import numpy as np

from common.pictures import style
from common.pictures.style import BLUE, GREEN, GREY, ORANGE, VERMILION

MOST = 3000  # steps drawn of a run, however long: a picture of 100,000,000 costs what one of 3,000 does
TOP = {"left": 0.068, "right": 0.98, "bottom": 0.535, "top": 0.835, "wspace": 0.13, "width_ratios": (1.5, 1)}
BOTTOM = {"left": 0.068, "right": 0.98, "bottom": 0.065, "top": 0.36, "wspace": 0.2, "width_ratios": (1, 1, 1.3)}


def png(metadata, **numbers):
    """The PNG, as bytes, of what `draw` makes of the numbers."""
    return style.png(draw(**numbers), metadata)


def thin(values, most=2000):
    """Which of `values`, float [n], to draw: indices, int64 [<= most], ascending.

    Most are evenly spaced, from the first to the last, so that a long run looks as a short one does; the others are the
    least, the greatest and the first that is not finite of each of most / 16 pieces.
    """
    if len(values) <= most:
        return np.arange(len(values))
    kept = np.linspace(0, len(values) - 1, 3 * most // 4).astype(int).tolist()
    for low, high in pairwise(np.linspace(0, len(values), most // 16 + 1).astype(int)):
        piece = values[low:high]
        finite = np.isfinite(piece)
        kept += [low + np.argmin(np.where(finite, piece, np.inf)), low + np.argmax(np.where(finite, piece, -np.inf)),
                 low + np.argmin(finite)]
    return np.unique(kept)


def near(A, target, best):
    """How far the surroundings of the target reach to both sides: past the least loss, not as far as the start."""
    way = abs(float(A[0]) - target)
    apart = 0 if best is None else min(3 * abs(best - target), way)
    return max(0.2 * way, apart, 0.1 * abs(target), 0.1)


def span(A, target, best):
    """(low, high): the range of A to draw the loss over. It holds the target, the least loss and the run's path.

    A [steps + 1]; of a run that diverges, it holds what lies within twice the way from the start to the target.
    """
    around = near(A, target, best)
    most = max(2 * abs(float(A[0]) - target), around)
    path = A[thin(A)].astype(np.float64)
    path = np.clip([target - around, target + around, *path[np.isfinite(path)]], target - most, target + most)
    margin = 0.04 * np.ptp(path)
    return path.min() - margin, path.max() + margin


def grid(A, target, best):
    """The values of A to compute the curves of the loss at: float64 [400], over the span, denser near the target."""
    around = near(A, target, best)
    return np.sort(np.r_[np.linspace(*span(A, target, best), 200), np.linspace(target - around, target + around, 200)])


def summary(A, loss):
    """What is drawn of a run, of bounded size: A float32 [steps + 1] with the start in front, loss float32 [steps].

    steps, A, loss [n <= MOST + 1]    of the steps drawn, from step 0 on, whose loss is nan
    mean_steps, mean [m <= 2000]      the loss's mean over the last `window` steps (int), float64
    zeros, broken                     int: how many losses are exactly 0; the first step that is not finite, or 0
    """
    steps = np.union1d(thin(A[1:], MOST // 2), thin(loss, MOST // 2))
    size = 1 + len(loss) // 2000  # of the blocks that the mean is made of
    blocks = loss[len(loss) % size :].reshape(-1, size).mean(1, dtype=np.float64)
    wide = max(5, len(blocks) // 20)
    mean = np.lib.stride_tricks.sliding_window_view(blocks, wide).mean(1) if len(blocks) > wide else blocks[:0]
    finite = np.isfinite(loss) & np.isfinite(A[1:])
    return {"steps": np.r_[0, steps + 1], "A": A[np.r_[0, steps + 1]], "loss": np.r_[np.float32(np.nan), loss[steps]],
            "mean_steps": len(loss) - size * np.arange(len(mean))[::-1], "mean": mean, "window": size * wide,
            "zeros": len(loss) - np.count_nonzero(loss), "broken": 0 if finite.all() else 1 + int(np.argmin(finite))}


def draw(title, made_by, path, target, best, x_vals, y_vals, x, before, after, boundary=None, curve=None):
    """Draw one run; returns the matplotlib figure, 1,100 x 800 pixels.

    title, made_by           its first two lines: the recipe, and what made the run
    path                     the run, as `summary` makes it
    target, best             A in theory, and with the least loss over these very samples (None: not known)
    x_vals, y_vals [samples] the samples and their targets
    x, before, after [points] the model's output over x with the first and the last A
    boundary                 the x that divides the two classes of a classification
    curve                    the loss over `A` float64 [k], as `grid` makes it: `mean` float64 [k] over all samples, and
                             `singles` float64 [m, k] of a few samples, of about 6. None: the losses met are drawn
    """
    figure = style.new_figure(1100, 800)
    figure.text(0.02, 0.96, title, fontsize=14, fontweight="bold")
    figure.text(0.02, 0.933, made_by, color=GREY)
    whole, close = figure.subplots(1, 2, gridspec_kw=TOP)
    moves, falls, fits = figure.subplots(1, 3, gridspec_kw=BOTTOM)
    A = path["A"].astype(np.float64)
    ends, around = span(A, target, best), near(A, target, best)
    _draw_curve(whole, path, A, ends, curve)
    _draw_arrows(whole, A, ends, curve)
    _draw_curve(close, path, A, (target - around, target + around), curve)
    head = _draw_moves(moves, path, A, ends)
    for mark in whole.axvline, close.axvline, moves.axhline:
        mark(target, color=VERMILION, ls="--", lw=1.5, label=f"in theory: {target:g}")
        if best is not None and ends[0] < best < ends[1]:
            mark(best, color=GREEN, ls=":", lw=2, label=f"least loss for these samples: {best:.4g}")
    _draw_falls(falls, path)
    _draw_fits(fits, x_vals, y_vals, x, before, after, A, boundary)
    for axes, text, above in ((whole, "The loss over A, and the run on it", 36), (moves, head, 8),
                              (close, "Near the target: each sample pulls its own way", 36),
                              (falls, "The loss, step by step (logarithmic)", 50),
                              (fits, "The model's output before and after", 50)):
        axes.set_title(text, loc="left", pad=above)
    style.key(whole, 2, -12, 175, 360, 610)
    style.key(falls, 3, -12)
    style.key(fits, 3, -12, 180)
    return figure


def _draw_curve(axes, path, A, ends, curve):
    """The loss over A between two ends, and the run on it."""
    losses = path["loss"] if curve is None else np.interp(A, curve["A"], curve["mean"], np.nan, np.nan)
    inside = np.flatnonzero((np.clip(A, *ends) == A) & np.isfinite(losses))
    level = losses[inside]
    if curve is not None:
        for single in curve["singles"]:
            axes.plot(curve["A"], single, color=GREY, lw=0.7, alpha=0.7)
        axes.plot([], [], color=GREY, lw=0.7, label="a few samples alone")
        axes.plot(curve["A"], curve["mean"], color=BLUE, lw=2, label="mean of all samples")
        level = curve["mean"][(curve["A"] >= ends[0]) & (curve["A"] <= ends[1])]
    axes.scatter(A[inside], losses[inside], c=inside, cmap="YlOrBr", vmin=-0.5 * len(A), vmax=len(A), s=20, lw=0,
                 zorder=3)
    axes.plot([], [], "o", ms=5, color="#CC6600", label="the run, later darker")
    level = level[np.isfinite(level)]
    low, high = (level.min(), level.max()) if level.size else (0, 1)
    margin = 0.07 * (high - low) or 0.1
    axes.set(xlim=ends, ylim=(min(low, 0) - margin, high + margin), xlabel="A", ylabel="loss")
    style.plain_axis(axes.xaxis, 6)
    style.plain_axis(axes.yaxis, 4)


def _draw_arrows(axes, A, ends, curve):
    """The run's first large moves as arrows, up to the edge that it leaves by, and where it starts and ends."""
    least, at = 0.09 * (ends[1] - ends[0]), [0]
    for index, value in enumerate(A):
        if abs(value - A[at[-1]]) >= least:
            at.append(index)
            if len(at) > 9 or not ends[0] <= value <= ends[1]:
                break
    x = np.clip(A[at], *ends)
    if curve is not None:
        y = np.interp(x, curve["A"], curve["mean"])
        axes.quiver(x[:-1], y[:-1], np.diff(x), np.diff(y), angles="xy", scale_units="xy", scale=1, width=0.002,
                    headwidth=6, color="black", zorder=4)
    for index, mark, label in (0, "s", "start"), (-1, "D", "last"):
        place = np.clip(A[index], *ends)
        outside = "" if place == A[index] else ", outside"
        axes.plot(place, 0, mark, transform=axes.get_xaxis_transform(), clip_on=False, ms=8, zorder=4,
                  color=GREY if mark == "s" else "black", label=f"{label}: A = {A[index]:.4g}{outside}")


def _draw_moves(axes, path, A, ends):
    """A step by step; logarithmic beyond the ends if it goes there."""
    axes.plot(path["steps"], A, color=BLUE, lw=1.5)
    head, seen = "A, step by step", A[np.isfinite(A)]
    if seen.min() < ends[0] or seen.max() > ends[1]:
        first, last = (math.ceil(math.log10(np.abs(values).max())) for values in (ends, [*ends, *seen]))
        axes.set_yscale("symlog", linthresh=10.0**first)
        axes.set_ylim(-(10.0**last), 10.0**last)
        head += f" (log beyond ±{10.0**first:g})"
        ticks = [10.0**power for power in range(last, first, -math.ceil((last - first) / 2) or -1)] or [10.0**first]
        axes.set_yticks([*(-tick for tick in ticks[::-1]), 0, *ticks])
        axes.minorticks_off()
        axes.yaxis.set_major_formatter("{x:g}")
    else:
        axes.set_ylim(ends)
        style.plain_axis(axes.yaxis, 4)
    _steps(axes, path)
    return head


def _draw_falls(axes, path):
    """The loss step by step."""
    steps, loss = path["steps"], path["loss"].astype(np.float64)
    drawn = np.isfinite(loss) & (loss > 0)
    axes.plot(steps[drawn], loss[drawn], "o", ms=3 if len(steps) > 300 else 5, mew=0, alpha=0.45, color=BLUE,
              label="of the step's sample, after the step")
    if path["mean"].size:
        axes.plot(path["mean_steps"], path["mean"], color=VERMILION, lw=2,
                  label=f"mean of the last {path['window']:,} steps")
    low, high = (loss[drawn].min() / 1.5, loss[drawn].max() * 1.5) if drawn.any() else (0.1, 10)
    axes.set(ylim=(low, high), yscale="log")
    if path["zeros"]:
        zeros = steps[loss == 0]
        axes.plot(zeros, np.full(zeros.shape, low), "v", color=ORANGE, ms=6, clip_on=False, zorder=3,
                  label=f"exactly 0: {path['zeros']:,} of them")
    if path["broken"]:
        axes.plot([], [], " ", label=f"no finite number from step {path['broken']:,} on")
    style.log_axis(axes.yaxis)
    _steps(axes, path)


def _draw_fits(axes, x_vals, y_vals, x, before, after, A, boundary):
    """The samples, and the model before and after."""
    low, high = style.frame(y_vals, before, after)
    for output, value, name, look in ((before, A[0], "before", {"color": GREY, "ls": "--", "lw": 1.5}),
                                      (after, A[-1], "after", {"color": BLUE, "lw": 2})):
        inside = np.any((output >= low) & (output <= high))
        axes.plot(x if inside else [], output if inside else [], **look,
                  label=f"{name}: A = {value:.4g}" + ", outside" * (not inside))
    for group_x, group_y, colour, mark, text in style.groups(x_vals, y_vals):
        axes.plot(group_x, group_y, mark, ms=5, color=colour, mec="black", mew=0.4, zorder=3,
                  label=f"{group_x.size} of {text}")
    margin = 0.04 * np.ptp(x_vals) or 0.1
    left, right = x_vals.min() - margin, x_vals.max() + margin
    axes.set(xlim=(left, right), ylim=(low, high), xlabel="x")
    if boundary is not None and left < boundary < right:
        axes.axvline(boundary, color=VERMILION, ls="-.", lw=1.5, label=f"boundary: x = {boundary:.4g}")
    elif boundary is not None:
        axes.plot(boundary > right, 0.5, ">" if boundary > right else "<", transform=axes.transAxes, ms=9,
                  color=VERMILION, clip_on=False, label=f"boundary: x = {boundary:.4g}")
    style.plain_axis(axes.xaxis, 6)
    style.plain_axis(axes.yaxis, 4)


def _steps(axes, path):
    """An axis of steps, from 0 to the last."""
    from matplotlib.ticker import MaxNLocator

    last = path["steps"][-1]
    axes.set(xlim=(-0.02 * last, 1.02 * last), xlabel="step")
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.xaxis.set_major_formatter("{x:,.0f}")
