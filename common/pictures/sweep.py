"""The picture of a sweep of learning rates: at each, the first run's way over the loss; below, the error by rate."""

import numpy as np

from common.pictures import style
from common.pictures.style import BLUE, VERMILION, number


def figure(n):
    """The figure of the numbers `n` of one optimizer's rates: see `common.pictures.comparison`."""
    order = np.argsort([row["learning_rate"] for row in n.rows], kind="stable")
    told = [f"{number(n.rows[index]['learning_rate'], 3)} {outcome(n.first[index], n)}".rstrip() for index in order]
    down = -(-len(order) // 5)
    across = -(-len(order) // down)
    made_by = f"{n.title}; {n.rows[0]['optimizer']}, {n.made_by}" + "; paths: run 1" * (n.rows[0]["runs"] > 1)
    drawn = style.new_figure(950, 400 + 235 * down, f"A rate of {', '.join(told)}", made_by)
    grid = drawn.add_gridspec(down + 1, across)
    for place, index in enumerate(order):
        axes = drawn.add_subplot(grid[divmod(place, across)], ylabel="" if place % across else "mean loss")
        axes.tick_params(labelleft=place % across == 0)
        _bowl(axes, n, n.first[index], told[place])
    _errors(drawn.add_subplot(grid[down, :]), n, [n.rows[index] for index in order])
    return drawn


def outcome(A, n):
    """What a path of `A` [steps + 1] does, in words: a leap ends beyond the goal, and not near it."""
    if n.goal is None:
        return ""
    away = np.nan_to_num(np.abs(A - n.goal), nan=np.inf)
    if away.max() > 1e30 or away[-1] > max(n.far, away[0]):
        return "flies off"
    crossed = (A[1:] > n.goal) != (A[:-1] > n.goal)
    leaps = (away > n.near)[:-1] & crossed & (away > n.near)[1:]
    if np.sum(leaps) > 0.5 * np.sum(away[:-1] > n.near):
        return "leaps across"
    if np.median(away[-max(1, len(away) // 10):]) < n.near:
        return "arrives"
    return "wanders" if crossed.any() or away[-1] > away[0] else "creeps"


def _bowl(axes, n, path, title):
    """The loss over `A`, and the path on it, every step; what is outside the grid lies at its ends, out of sight."""
    limits = np.quantile(n.grid, (0.1, 0.9))
    top = 1.05 * np.nanmax(n.mean[(n.grid > limits[0]) & (n.grid < limits[1])]) or 1
    A = np.clip(np.nan_to_num(path, nan=2e38), n.grid[0], n.grid[-1])
    loss = np.interp(A, n.grid, n.mean)
    axes.plot(n.grid, n.mean, color=BLUE, lw=2)
    axes.plot(A, loss, "o-", ms=3, lw=1, color=VERMILION)
    axes.plot(A[-1], loss[-1], "D", ms=7, color="black", mec="white", zorder=4)
    axes.set(xlim=limits, ylim=(-0.06 * top, top), xlabel=f"◆ last A: {number(path[-1])}", title=title)
    style.ticks(axes)


def _errors(axes, n, rows):
    """The error of the last `A` against the rate, both on logarithmic axes, and where runs diverge."""
    columns = "learning_rate", "runs", "diverged", "A_mean", "A_sd", "loss_mean"
    rates, runs, diverged, mean, sd, values = (np.array([row[column] for row in rows], float) for column in columns)
    what = "Mean loss with the last A"
    if n.target is not None and n.goal == n.target:
        what = f"{'Error' if runs[0] == 1 else 'Root mean square error'} of the last A (target {number(n.target)})"
        values = np.hypot(mean - n.target, np.nan_to_num(sd))
    axes.loglog(rates, np.maximum(values, 1e-7), "s-", ms=8, color=BLUE, lw=2)  # float32 tells nothing nearer
    start, end = rates[0] / 1.3, 1.7 * rates[-1]
    kept = rates[diverged <= runs / 2].max(initial=start)
    lost = rates[rates > kept].min(initial=np.inf)  # from this rate on most runs diverged
    edge = np.clip(n.stable or lost, min(1.02 * kept, lost), lost)
    if lost < end:
        axes.axvspan(edge, end, color=VERMILION, alpha=0.15, lw=0)
        axes.text(np.sqrt(edge * end), 0.5, "diverges", transform=axes.get_xaxis_transform(), color=VERMILION,
                  rotation=90, ha="center", va="center", weight="bold")
    what += ", without runs that diverged" if diverged.any() else ""
    axes.set(xlabel="learning rate", title=what, xlim=(start, end), ymargin=0.12)
    style.ticks(axes, 7)
    if not np.isfinite(values).any():
        axes.set_yticks([])
