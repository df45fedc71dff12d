"""The picture of a sweep of learning rates: at each, the first run's way over the loss; below, the error by rate."""

import itertools

import numpy as np

from common.pictures import style
from common.pictures.style import BLUE, GREY, VERMILION, number

MOST = 10  # bowls


def draw(n, about):
    """The PNG, as bytes, of the numbers `n` of one optimizer's rates: see `common.pictures.comparison`."""
    order = np.argsort([row["learning_rate"] for row in n.rows], kind="stable")
    goal = n.grid[np.nanargmin(n.mean)] if n.target is None else n.target
    rates = [number(n.rows[index]["learning_rate"]) for index in order]
    words = [outcome(n.first[index], goal, n.near) for index in order]
    shown = np.unique(np.linspace(0, len(order) - 1, MOST).round().astype(int))
    lines = -(-len(shown) // 5)
    tall = 500 + 245 * lines
    figure = style.new_figure(950, tall, message(rates, words), _made_by(n, len(order) - len(shown)))
    bowls, errors = figure.add_gridspec(2, 1, left=0.085, right=0.98, bottom=60 / tall, hspace=0.36,
                                        height_ratios=(tall - 500, 250))
    panels = bowls.subgridspec(lines, -(-len(shown) // lines), hspace=0.6, wspace=0.14).subplots(
        sharex=True, sharey=True, squeeze=False)
    for axes in panels.flat[len(shown):]:
        axes.remove()
    way = 1.6 * max(*(abs(path[0] - goal) for path in n.first), 2 * n.near)
    limits = max(n.grid[0], goal - way), min(n.grid[-1], goal + way)
    for axes, place in zip(panels.flat, shown, strict=False):
        path = n.first[order[place]]
        rate = number(n.rows[order[place]]["learning_rate"], 3)
        axes.set_title(f"{rate} {words[place]}", weight="bold", size=style.SMALL)
        _bowl(axes, n, path, limits)
        axes.set_xlabel(f"last A: {number(path[-1])}" if np.isfinite(path[-1]) else "last A: no number")
    panels[0, 0].set_ylabel("mean loss")
    _errors(figure.add_subplot(errors), n, order)
    return style.png(figure, about)


def outcome(A, goal, near):
    """What a path of `A` [steps] does, in words: a leap ends beyond the goal, and not near it."""
    away = np.nan_to_num(np.abs(A - goal), nan=np.inf)
    if away.max() > 1e30 or away[-1] > 10 * max(away[0], near):
        return "flies off"
    far, crossed = away[:-1] > near, (A[1:] > goal) != (A[:-1] > goal)
    if (far & crossed & (away[1:] > near)).any() and crossed[far].mean() > 0.5:
        return "leaps across"
    if np.median(away[-max(1, len(away) // 10):]) < near:
        return "arrives"
    return "wanders" if crossed.any() or away[-1] > away[0] else "creeps"


def message(rates, words):
    """The picture's sentence: which rates do what."""
    parts = []
    for word, group in itertools.groupby(zip(words, rates, strict=True), key=lambda pair: pair[0]):
        several = list(dict.fromkeys(rate for _, rate in group))
        listed = " and ".join(several) if len(several) < 3 else f"{several[0]} to {several[-1]}"
        parts.append(f"{word} at {'' if parts else 'learning rate '}{listed}")
    return "A " + ", ".join(parts[:-1]) + " and " * (len(parts) > 1) + parts[-1]


def _made_by(n, hidden):
    of_all = f"; drawn on the loss: run 1 of {n.rows[0]['runs']:,}" if n.rows[0]["runs"] > 1 else ""
    more = f"; and {hidden:,} more rates, drawn in the last panel only" if hidden else ""
    return f"{n.title}; {n.rows[0]['optimizer']}, {n.made_by}{of_all}{more}"


def _bowl(axes, n, path, limits):
    """The loss over `A` and the path on it, every step; what is outside lies above the panel, where it left."""
    seen = n.mean[(n.grid >= limits[0]) & (n.grid <= limits[1]) & np.isfinite(n.mean)]
    top, span = seen.max() * 1.05 or 1.0, limits[1] - limits[0]
    axes.plot(n.grid, n.mean, color=BLUE, lw=2)
    A = np.clip(np.nan_to_num(path, nan=2e38, posinf=2e38, neginf=-2e38), limits[0] - span, limits[1] + span)
    loss = np.interp(A, n.grid, np.nan_to_num(n.mean, nan=9 * top), 9 * top, 9 * top)
    axes.plot(A, np.minimum(loss, 9 * top), "o-", ms=3, lw=1, color=VERMILION)
    outside = np.clip(A, *limits) != A
    if outside.any():
        edge = np.clip(A[outside.argmax()], *limits)
        axes.plot(edge, top, "^", ms=9, color=VERMILION, clip_on=False)
    for index, mark, colour in (0, "s", GREY), (-1, "D", "black"):
        axes.plot(A[index], loss[index], mark, ms=7, color=colour, mec="white", zorder=4)
    axes.set(xlim=limits, ylim=(-0.06 * top, top))
    style.axis(axes.xaxis, 3)
    style.axis(axes.yaxis, 4)


def _errors(axes, n, order):
    """The error of the last `A` against the rate, both on logarithmic axes, and where a run diverges."""
    rows, several = [n.rows[index] for index in order], n.rows[0]["runs"] > 1
    rates, share = np.array([(row["learning_rate"], row["diverged"] / row["runs"]) for row in rows]).T
    what, values = "Mean loss with the last A", [row["loss_mean"] for row in rows]
    if n.target is not None:
        what = f"{'Root mean square error' if several else 'Error'} of the last A, whose target is {number(n.target)}"
        values = [np.nan if row["A_mean"] is None else np.hypot(row["A_mean"] - n.target, row["A_sd"] or 0)
                  for row in rows]
    values = np.maximum(np.array(values, float), 1e-7)  # float32 tells nothing nearer
    known = np.isfinite(values)
    axes.plot(rates[known], values[known], "-", color=BLUE, lw=2)
    for which, fill, name in (share == 0, BLUE, None), (share > 0, "white", "without the runs that diverged"):
        if (which & known).any():
            axes.plot(rates[which & known], values[which & known], "s", ms=8, mec=BLUE, mfc=fill, label=name)
    low, high = rates[0] / 1.3, rates[-1] * 1.3
    lost = rates[share == 1]
    edges = list(lost[lost > max(rates[share < 1], default=0)][:1])
    if n.stable and n.stable < 2 * high and rows[0]["optimizer"] == "gradient-descent":
        edges.append(n.stable)
    if edges:
        high = max(high, 1.7 * min(edges))
        axes.axvspan(min(edges), high, color=VERMILION, alpha=0.15, lw=0)
        axes.text(np.sqrt(min(edges) * high), 0.5, "diverges", transform=axes.get_xaxis_transform(), color=VERMILION,
                  rotation=90, ha="center", va="center", weight="bold")
    axes.plot(lost, np.full(len(lost), 0.93), "X", ms=9, color=VERMILION, transform=axes.get_xaxis_transform())
    limits = (values[known].min() / 1.5, values[known].max() * 1.5) if known.any() else (0.1, 10)
    axes.set(xscale="log", yscale="log", xlim=(low, high), ylim=limits, xlabel="learning rate", title=what)
    style.axis(axes.xaxis, 7, log=True)
    style.axis(axes.yaxis, 4, log=True)
    if (known & (share > 0)).any():
        axes.legend()
