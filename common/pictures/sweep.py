"""The picture of a sweep of learning rates: at each, the first run's way over the loss; below, the error by rate."""

import itertools

import numpy as np

from common.pictures import style
from common.pictures.style import BLUE, VERMILION, number

MOST = 10  # bowls


def figure(n):
    """The figure of the numbers `n` of one optimizer's rates: see `common.pictures.comparison`."""
    order = np.argsort([row["learning_rate"] for row in n.rows], kind="stable")
    shown = order[np.unique(np.linspace(0, len(order) - 1, MOST).round().astype(int))]
    goal = n.grid[np.nanargmin(n.mean)] if n.target is None else n.target
    rates = [number(row["learning_rate"], 3) for row in n.rows]
    words = [outcome(path, goal, n.near) for path in n.first]
    parts = []
    for word, group in itertools.groupby(order, key=lambda index: words[index]):
        some = [rates[index] for index in group]
        joint = " and " if len(some) == 2 else " to "
        parts.append(f"{word} at rate {joint.join(dict.fromkeys([some[0], some[-1]]))}")
    runs, hidden = n.rows[0]["runs"], len(order) - len(shown)
    made_by = f"{n.title}; {n.rows[0]['optimizer']}, {n.made_by}"
    made_by += f"; on the loss: run 1 of {runs:,}" if runs > 1 else ""
    made_by += f"; {hidden:,} more rates are drawn in the last panel only" if hidden else ""
    down = -(-len(shown) // 5)
    across = -(-len(shown) // down)
    drawn = style.new_figure(950, 400 + 235 * down, f"A {', '.join(parts)}", made_by)
    drawn.set_layout_engine("constrained", rect=(0.01, 0.01, 0.98, drawn.subplotpars.top))
    grid = drawn.add_gridspec(down + 1, across)
    way = 1.6 * max(*(abs(path[0] - goal) for path in n.first), 2 * n.near)
    limits = max(n.grid[0], goal - way), min(n.grid[-1], goal + way)
    for place, index in enumerate(shown):
        axes = drawn.add_subplot(grid[divmod(place, across)], ylabel="" if place % across else "mean loss")
        axes.tick_params(labelleft=place % across == 0)
        axes.set_title(f"{rates[index]} {words[index]}", weight="bold", size=style.SMALL)
        _bowl(axes, n, n.first[index], limits)
    _errors(drawn.add_subplot(grid[down, :]), n, [n.rows[index] for index in order])
    return drawn


def outcome(A, goal, near):
    """What a path of `A` [steps + 1] does, in words: a leap ends beyond the goal, and not near it."""
    away = np.nan_to_num(np.abs(A - goal), nan=np.inf)
    if away.max() > 1e30 or away[-1] > 10 * max(away[0], near):
        return "flies off"
    far, crossed = away[:-1] > near, (A[1:] > goal) != (A[:-1] > goal)
    if np.sum(far & crossed & (away[1:] > near)) > 0.5 * np.sum(far):
        return "leaps across"
    if np.median(away[-max(1, len(away) // 10):]) < near:
        return "arrives"
    return "wanders" if crossed.any() or away[-1] > away[0] else "creeps"


def _bowl(axes, n, path, limits):
    """The loss over `A` and the path on it, every step; what is outside lies far above the panel."""
    seen = n.mean[(n.grid >= limits[0]) & (n.grid <= limits[1]) & np.isfinite(n.mean)]
    top, reach = seen.max() * 1.05 or 1.0, np.ptp(limits)
    A = np.clip(np.nan_to_num(path, nan=2e38), limits[0] - reach, limits[1] + reach)
    loss = np.interp(A, n.grid, np.nan_to_num(n.mean, nan=9 * top), 9 * top, 9 * top)
    axes.plot(n.grid, n.mean, color=BLUE, lw=2)
    axes.plot(A, loss, "o-", ms=3, lw=1, color=VERMILION)
    axes.plot(A[-1], loss[-1], "D", ms=7, color="black", mec="white", zorder=4)
    axes.set(xlim=limits, ylim=(-0.06 * top, top), xlabel=f"◆ last A: {number(path[-1])}")
    style.axis(axes.xaxis, 3)
    style.axis(axes.yaxis, 4)


def _errors(axes, n, rows):
    """The error of the last `A` against the rate, both on logarithmic axes, and where runs diverge."""
    columns = "learning_rate", "runs", "diverged", "A_mean", "A_sd", "loss_mean"
    rates, runs, diverged, mean, sd, loss = (np.array([row[column] for row in rows], float) for column in columns)
    what, values = "Mean loss with the last A", loss
    if n.target is not None:
        what = "Root mean square error" if runs[0] > 1 else "Error"
        what += f" of the last A, whose target is {number(n.target)}"
        values = np.hypot(mean - n.target, np.nan_to_num(sd))
    if ((diverged > 0) & (diverged < runs)).any():
        what += ", without the runs that diverged"
    axes.loglog(rates, np.maximum(values, 1e-7), "s-", ms=8, color=BLUE, lw=2)  # float32 tells nothing nearer
    start, end, kept = rates[0] / 1.3, 1.7 * rates[-1], rates[diverged < runs].max(initial=0)
    edge = max(start, min([n.stable or np.inf, *rates[rates > kept]]))  # from which rate on runs diverge
    if edge < 1.3 * rates[-1]:
        axes.axvspan(edge, end, color=VERMILION, alpha=0.15, lw=0)
        axes.text(np.sqrt(edge * end), 0.5, "diverges", transform=axes.get_xaxis_transform(), color=VERMILION,
                  rotation=90, ha="center", va="center", weight="bold")
    axes.set(xlabel="learning rate", title=what, xlim=(start, end), ymargin=0.12)
    style.axis(axes.xaxis, 7, log=True)
    style.axis(axes.yaxis, 4, log=True)
