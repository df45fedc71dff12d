"""Panels, and parts of them, that the picture of a run and the moving picture share."""

import numpy as np

from common.pictures import style
from common.pictures.style import BLUE, GREEN, GREY, ORANGE, SKY, number


def goals(mark, n):
    """Mark what `A` comes to in theory, and where the loss is least."""
    if n.target is not None:
        mark(n.target, color="black", ls="--", lw=1.5, label=f"in theory: {number(n.target)}")
    if n.best is not None:
        mark(n.best, color=GREEN, ls=":", lw=2.5, label=f"least loss: {number(n.best)}")


def name_loss(axes):
    """Name the vertical axis above it: beside it, large numbers take the room."""
    axes.annotate("loss", (0, 1), (-8, 9), xycoords="axes fraction", textcoords="offset points", ha="right")


def key_below(axes):
    """What the lines mean, below the axis and its name."""
    low = -50 * style.DPI / 100 / axes.bbox.height
    axes.legend(loc="upper left", bbox_to_anchor=(-0.1, low), borderaxespad=0, handlelength=1.6, labelspacing=0.25)


def model_panel(axes, n):
    """The samples, and the model's output before and after."""
    low, high = n.y_vals.min(), n.y_vals.max()
    if n.before is not None:
        reach = 1.2 * max(high - low, np.abs(n.y_vals).max(), 0.1)
        near = np.clip([n.before, n.after], low - reach, high + reach)
        low, high = np.fmin(low, np.nanmin(near)), np.fmax(high, np.nanmax(near))
        for name, A, output, look in (("before", n.A[0], n.before, {"color": GREY, "ls": "--", "lw": 2}),
                                      ("after", n.A[-1], n.after, {"color": BLUE, "lw": 3})):
            outside = ", outside" if np.isfinite(A) and not np.any((output >= low) & (output <= high)) else ""
            axes.plot(n.x, output, label=f"{name}: A = {number(A)}{outside}", **look)
        boundary = crossing(n.x, n.after, n.threshold)
        if np.isfinite(boundary):
            axes.axvline(boundary, color=BLUE, ls="-.", label=f"boundary: x = {number(boundary)}")
    samples(axes, n)
    margin = 0.08 * (high - low) or 1
    axes.set(xlim=(n.x[0], n.x[-1]), ylim=(low - margin, high + margin), xlabel="x")
    axes.set_title("The model's output" if n.before is not None else "The samples")
    style.axis(axes.xaxis, 3)
    style.axis(axes.yaxis, 4)
    key_below(axes)


def samples(axes, n):
    """Draw the samples of the numbers `n` by their target, or all alike if there are more than two."""
    values = np.unique(n.y_vals) if len(np.unique(n.y_vals)) < 3 else [None]
    for value, colour, mark in zip(values, (ORANGE, SKY), "os", strict=False):
        part = n.y_vals == value if value is not None else slice(None)
        axes.plot(n.x_vals[part], n.y_vals[part], mark, ms=6, color=colour, mec="black", mew=0.4, zorder=3,
                  label="samples" if mark == "o" else None)


def crossing(x, output, threshold):
    """The x at which the output passes the threshold, nan if it does not."""
    above = output > threshold if threshold is not None else np.zeros(len(x), bool)
    at = np.flatnonzero(np.diff(above))[:1]
    return np.append((x[at] + x[at + 1]) / 2, np.nan)[0]
