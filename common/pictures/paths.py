"""How `A` moves in each row of a comparison: all in a panel, or a panel for each optimizer."""

import numpy as np

from common.pictures import style
from common.pictures.style import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION, number

LOOKS = [{"color": colour, "ls": ("-", "--", "-.", ":")[index % 4], "lw": 2} for index, colour in enumerate(
    2 * (BLUE, VERMILION, GREEN, PURPLE, GREY, ORANGE, SKY))]
FEW, MOST = 20, 12  # runs of which `curves` has each; lines in a panel, or panels
LINE = 20  # hundredths of an inch from a line of text to the next


def panel(n):
    """One panel: each line named at its end, together with those that coincide with it."""
    (low, high), groups = _frame(n), []
    for index in range(len(n.rows)):
        line = np.clip(_middle(n, index), low, high)
        same = [group for group, other in groups if np.array_equal(n.curves[group[0]][0], n.curves[index][0])
                and np.abs(other - line).max() < 0.005 * (high - low)]
        same[0].append(index) if same else groups.append(([index], line))
    ends = [(group, line[-1], look) for (group, line), look in zip(groups[:MOST], LOOKS, strict=False)]
    ends.sort(key=lambda end: (n.rows[end[0][0]]["A_p50"] is None, -end[1]))
    texts, places = _texts(n, ends, len(n.rows) - sum(len(group) for group, *_ in ends))
    tall = max(560, LINE * len(texts) + 180)
    figure = style.new_figure(1000, tall, n.message, f"{n.title}; {n.made_by}")
    axes = figure.subplots(gridspec_kw={"left": 0.07, "right": 0.66, "bottom": 60 / tall})
    line = LINE / (figure.subplotpars.top * tall - 60)
    for index, (text, look) in enumerate(texts):
        axes.text(1.06, 1 - line * index, text, transform=axes.transAxes, va="top", **look)
    for (group, last, look), place in zip(ends, places, strict=True):
        _line(axes, n, group[0], look, len(groups) < 4)
        if low < last < high:
            axes.annotate("", (1.055, 1 - line * (place + 0.5)), (n.curves[group[0]][0][-1], last),
                          xycoords=axes.transAxes, textcoords="data",
                          arrowprops={"arrowstyle": "-", "shrinkA": 0, "shrinkB": 0, **look, "lw": 1})
    _finish(axes, n)
    return figure


def _texts(n, ends, hidden):
    """The lines of text beside the panel, each with its look; and at which of them each row's name begins."""
    runs = n.rows[0]["runs"]
    spread = "" if runs == 1 else ": median" if runs <= FEW else ": median and 90% of the runs"
    near = [] if n.target is None else [f"steps until first within {number(n.near)} of {number(n.target)}"]
    texts, places = [(text, {"color": GREY}) for text in [f"last A{spread}{';' * len(near)}", *near, ""]], []
    for group, _, look in ends:
        places.append(len(texts))
        names = [n.names[index] for index in group[:4]] + [f"and {len(group) - 4:,} more"] * (len(group) > 4)
        texts += [(name, {"color": look["color"], "weight": "bold"}) for name in names]
        texts += [(n.ends[group[0]], {}), ("", {})]
    return texts + [(f"and {hidden:,} more", {})] * (hidden > 0), places


def panels(n):
    """A panel for each optimizer, a colour for each rate."""
    from matplotlib.lines import Line2D

    rates, shown = sorted(n.rates, key=lambda rate: rate or 0), n.optimizers[:MOST]
    rates = [rates[place] for place in np.unique(np.linspace(0, len(rates) - 1, 7).round().astype(int))]
    columns = 2 if len(shown) in (2, 4) else 3
    lines = -(-len(shown) // columns)
    tall = 245 * lines + 200
    figure = style.new_figure(1000, tall, n.message, f"{n.title}; {n.made_by}")
    drawn = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False, gridspec_kw={
        "left": 0.07, "right": 0.98, "bottom": 115 / tall, "hspace": 0.3, "wspace": 0.12})
    for axes in drawn.flat[len(shown):]:
        axes.remove()
    for axes, name in zip(drawn.flat, shown, strict=False):
        for index, row in enumerate(n.rows):
            if row["optimizer"] == name and row["learning_rate"] in rates:
                _line(axes, n, index, LOOKS[rates.index(row["learning_rate"])], False)
        axes.set_title(name or "an update of its own")
        _finish(axes, n)
        axes.label_outer()
    more = (len(n.rates) - len(rates), "rates"), (len(n.optimizers) - len(shown), "optimizers")
    title = ", ".join(["learning rate", *(f"and {count:,} more {what}" for count, what in more if count)])
    figure.legend(handles=[Line2D([], [], label="varies" if rate is None else number(rate), **look)
                           for rate, look in zip(rates, LOOKS, strict=False)],
                  loc="lower center", ncols=len(rates), title=title)
    return figure


def _frame(n):
    """The values of `A` that a panel shows: from the start to the target, or the last ones, and a share beyond."""
    ends = [row["A_p50"] for row in n.rows if row["A_p50"] is not None] if n.target is None else [n.target]
    ends.append(_middle(n, 0)[0])
    way = 0.3 * max(np.ptp(ends), 4 * n.near)
    return min(ends) - way, max(ends) + way


def _middle(n, index):
    """The median of `A` [p] of a row; what is not a number counts as infinite."""
    ways = np.nan_to_num(n.curves[index][1], nan=np.inf, posinf=np.inf, neginf=-np.inf)
    return np.median(ways, axis=1) if n.rows[0]["runs"] <= FEW else ways[:, 1]


def _line(axes, n, index, look, spread):
    """The median of a row's runs, up to where it leaves for good; each of a few runs thin, 90% of more as a band."""
    (low, high), middle, (steps, ways) = _frame(n), _middle(n, index), n.curves[index]
    far = 100 * (high - low)  # to draw a line to there is to draw it upright
    last = np.flatnonzero((middle >= low) & (middle <= high))[-1] + 2  # the point behind is drawn too
    ways, middle = (np.clip(np.nan_to_num(each, nan=far), low - far, high + far)[:last] for each in (ways, middle))
    if spread and n.rows[0]["runs"] > FEW:
        axes.fill_between(steps[:last], ways[:, 0], ways[:, 2], color=look["color"], alpha=0.13, lw=0)
    elif spread and n.rows[0]["runs"] > 1:
        axes.plot(steps[:last], ways, color=look["color"], lw=0.6, alpha=0.5)
    axes.plot(steps[:last], middle, **look)
    if last <= len(steps):
        up = middle[-1] > high
        axes.plot(steps[last - 1], high if up else low, "^" if up else "v", ms=9, color=look["color"], clip_on=False,
                  zorder=4)


def _finish(axes, n):
    """The target, and what both axes have in common."""
    if n.target is not None:
        axes.axhline(n.target, color="black", ls="--", lw=1.2)
        axes.axhspan(n.target - n.near, n.target + n.near, color="black", alpha=0.08, lw=0)
    most = max(steps[-1] for steps, _ in n.curves)
    axes.set(xlabel="step", ylabel="A", ylim=_frame(n), xlim=(0, most))
    style.axis(axes.xaxis, 4 if most < 1e5 else 2)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    style.axis(axes.yaxis)
