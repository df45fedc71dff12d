"""The picture of a comparison: how `A` moves in each row, where it ends, and what a sweep of rates tells."""

import textwrap

import numpy as np

from common.pictures import style

COLOURS = (style.BLUE, style.VERMILION, style.GREEN, style.ORANGE, style.PURPLE, style.SKY, style.GREY)
MARKERS = "osD^vP*X<>h"  # 7 colours and 11 markers: no two rows that a legend names look the same
NAMED = 14  # rows that a legend can name; of more, the colour tells the rate, and each optimizer has its own panel
WIDTH, ROW, TEXT = 1100, 19, 9.5  # pixels, pixels a row of the list, points of the smallest text
LIMITS = {"variance": ("variance", style.GREEN), "mean": ("mean", style.VERMILION),
          "typical": ("typical run", style.PURPLE)}


def png(metadata, **numbers):
    """The bytes of the PNG file of `draw(**numbers)`, with a dict of texts as its metadata."""
    return style.png(draw(**numbers), metadata)


def draw(title, made_by, rows, curves, paths, target, near, limits, curves_of):
    """Draw a comparison: `A` against the steps for each row, where its runs end and, for a sweep of rates, how well.

    title, made_by  the lines above the picture: what it shows, and the settings that it comes from
    rows    dicts with optimizer, learning_rate, runs, diverged, A_mean, A_sd, A_p05, A_p50, A_p95 and
            steps_to_target (the median step at which a run first comes near), None where a figure does not apply
    curves  for each row (at, low, middle, high), [points] each: steps (int), percentiles 5, 50, 95 of `A` (float64)
    paths   for each row `A` of its few runs at these steps, float32 [points, runs]; None if they are too many
    target  of `A`; near  how close counts as arrived
    limits  the learning rates beyond which gradient descent diverges: a dict with mean, variance, typical; or None
    curves_of  the number of runs behind the curves, which may be fewer than those behind the rows

    Returns a matplotlib Figure. What is not a number counts as infinite.
    """
    optimizers, keyed = list(dict.fromkeys(row["optimizer"] for row in rows)), len(rows) > NAMED
    sweep = len(rows) > 2 and len(optimizers) == 1
    panels = optimizers if keyed else [""]
    lines = (len(panels) + 1) // 2
    heights = {"path": 440 if lines == 1 else 100 + 250 * lines, "sweep": 370, "last": 110 + ROW * len(rows)}
    order = [part for part in (heights if keyed else ("path", "last", "sweep")) if sweep or part != "sweep"]
    figure, parts = _layout(title, made_by, {part: heights[part] for part in order})

    start, last_step = np.median([middle[0] for _, _, middle, _ in curves]), max(at[-1] for at, *_ in curves)
    names = [f"{'' if sweep else row['optimizer'] + ' '}{row['learning_rate']:g}" for row in rows]
    looks = [{"color": COLOURS[index % 7], "marker": MARKERS[index % 11]} for index in range(len(rows))]
    if keyed:
        scale = _scale([row["learning_rate"] for row in rows])
        looks = [{"color": scale.to_rgba(row["learning_rate"]), "marker": ""} for row in rows]
    several = curves_of > 1
    shade = several and not paths and len(rows) < 7
    runs = paths if paths and several else [np.empty((len(at), 0)) for at, *_ in curves]
    axes = parts["path"].subplots(lines, min(2, len(panels)), squeeze=False).ravel()
    for panel in axes[len(panels):]:
        panel.remove()
    for panel, name in zip(axes, panels, strict=False):
        drawn = [line for line, row in zip(zip(names, looks, curves, runs, strict=True), rows, strict=True)
                 if name in ("", row["optimizer"])]
        _draw_paths(panel, drawn, shade, start, target, near)
        panel.set_title(name if len(panels) > 1 else "", loc="left")
        panel.set_xlim(-0.01 * last_step, 1.01 * last_step)
    of_all = f" of {rows[0]['runs']:,}" if curves_of < rows[0]["runs"] else ""
    what = f": median of {'the first ' if of_all else ''}{curves_of:,}{of_all} runs" if several else ""
    what += ", each a thin line" if several and paths else ""
    what += ", shaded: 90% of them, where they fit" if axes[0].collections else ""
    parts["path"].suptitle(f"A, step by step{what}", size=11)
    handles = axes[0].get_legend_handles_labels()[0]
    if keyed:
        parts["path"].legend(handles=handles[-2:], loc="outside lower center", ncols=2, fontsize=TEXT, frameon=False)
        bar = parts["path"].colorbar(scale, ax=list(axes[:len(panels)]), label="learning rate", shrink=1 / lines,
                                     anchor=(0, 1), aspect=25)
        style.log_axis(bar.ax.yaxis)
    else:
        parts["path"].legend(handles=handles, loc="outside right upper", fontsize=TEXT, frameon=False,
                             title="learning rate" if sweep else None)
    _draw_last(parts["last"].subplots(), rows, looks, names, start, target, near)
    if sweep:
        rows = sorted(rows, key=lambda row: row["learning_rate"])
        limits = limits if limits and optimizers == ["gradient-descent"] else {}
        errors = [row["A_mean"] if row["A_mean"] is None else np.hypot(row["A_mean"] - target, row["A_sd"])
                  for row in rows]
        exact, fast = parts["sweep"].subplots(1, 2)
        otherwise = near, max(abs(start - target), 2 * near)
        _draw_sweep(exact, "Root mean square error of the last A", rows, errors, otherwise, limits)
        _draw_sweep(fast, f"Steps until first within {near:g} of {target:g}", rows,
                    [row["steps_to_target"] for row in rows], (1, max(10, last_step)), limits)
    return figure


def _layout(title, made_by, heights):
    """The figure with its heading, and its parts by name, one below the other; `heights` in pixels."""
    heading = textwrap.wrap(title, 95), textwrap.wrap(made_by, 150)
    heights = {"head": 20 * len(heading[0]) + 17 * len(heading[1]) + 10, **heights}
    figure = style.new_figure(WIDTH, sum(heights.values()))
    figure.set_layout_engine("constrained", w_pad=0.1, h_pad=0.05)
    parts = dict(zip(heights, figure.subfigures(len(heights), 1, height_ratios=[*heights.values()]), strict=True))
    parts["head"].text(0.5, 1 - 6 / heights["head"], "\n".join(heading[0]), ha="center", va="top", size=12,
                       weight="bold")
    parts["head"].text(0.5, 0, "\n".join(heading[1]), ha="center", va="bottom", size=TEXT)
    return figure, parts


def _scale(rates):
    """What gives each learning rate its colour: viridis without its end, too light for lines on white."""
    from matplotlib import cm, colormaps, colors

    dark = colors.ListedColormap(colormaps["viridis"](np.linspace(0, 0.88, 256)))
    return cm.ScalarMappable(colors.LogNorm(min(rates), max(*rates, 1.01 * min(rates))), dark)


def _frame(start, target, near, behind, beyond):
    """The values of `A` that a panel shows: from the start to the target, and shares of the way on either side."""
    way = np.copysign(max(abs(target - start), 4 * near), target - start)
    return sorted((target - way - behind * way, target + beyond * way))


def _draw_paths(axes, lines, shade, start, target, near):
    """`A` against the steps: medians, and spreads or single runs. `lines` holds name, look, curves and runs of each."""
    low, high = _frame(start, target, near, 0.3, 0.5)
    far = 1000 * (high - low)  # to draw a line to there is to draw it upright
    most, least = -np.inf, np.inf
    for index, (name, look, (at, *spread), runs) in enumerate(lines):
        drawn = np.nan_to_num(np.column_stack([spread[1], runs]), nan=np.inf, posinf=np.inf, neginf=-np.inf)
        most, least = max(most, drawn.max()), min(least, drawn.min())
        for outside, mark, edge in ((drawn > high, "^", high), (drawn < low, "v", low)):
            if outside.any():  # an arrow where it leaves first
                axes.plot(at[outside.any(1).argmax()], edge, mark, color=look["color"], ms=8, clip_on=False, zorder=4)
        drawn = np.clip(drawn, low - far, high + far)
        if shade and np.min(spread) >= low and np.max(spread) <= high:
            axes.fill_between(at, spread[0], spread[2], color=look["color"], alpha=0.15, lw=0)
        axes.plot(at, drawn[:, 1:], color=look["color"], lw=0.7, alpha=0.5, zorder=1.8)
        wander = np.abs(np.diff(np.clip(drawn[:, 0], low, high))).sum() / (high - low)  # the most lies at the back
        every = max(1, len(at) // 8)
        calm = next((shape for least, shape in ((20, {"lw": 0.6, "alpha": 0.4}), (5, {"lw": 1})) if wander > least), {})
        axes.plot(at, drawn[:, 0], **{"lw": 1.8, **calm}, ms=6, zorder=2 + 1 / (1 + wander), label=name,
                  markevery=(index * every // len(lines), every), **look)
    axes.axhline(target, color="black", ls="--", lw=1.2, zorder=1.5, label=f"target: {target:g}")
    axes.axhspan(target - near, target + near, color="black", alpha=0.1, lw=0, label=f"within {near:g} of it")
    outside = [f"▲ up to {most:.3g}"] if most > high else []
    outside += [f"▼ down to {least:.3g}"] if least < low else []
    axes.set_title("   ".join(outside).replace("inf", "∞"), loc="right", size=TEXT)
    axes.set(xlabel="step", ylabel="A", ylim=(low, high))
    axes.xaxis.get_major_locator().set_params(integer=True, nbins=7, steps=(1, 2, 5, 10))
    axes.xaxis.set_major_formatter("{x:,.0f}")


def _draw_last(axes, rows, looks, names, start, target, near):
    """The last `A` of each row, median and 90% of its runs, with the steps that it took to come near."""
    from matplotlib.ticker import MaxNLocator

    several = rows[0]["runs"] > 1
    ends = [row[key] for row in rows for key in ("A_p05", "A_p95") if row[key] is not None]
    ends = [*(ends or [start]), target - near, target + near]
    low, high = np.clip((min(ends), max(ends)), *_frame(start, target, near, 0.8, 0.8))
    low, high = low - 0.04 * (high - low), high + 0.04 * (high - low)
    for place, row, look in zip(range(0, -len(rows), -1), rows, looks, strict=True):
        if row["A_p50"] is None:
            continue
        five, median, ninety_five = row["A_p05"], row["A_p50"], row["A_p95"]
        axes.plot(np.clip((five, ninety_five), low, high), (place, place), lw=2.5, color=look["color"])
        if low <= median <= high:
            axes.plot(median, place, look["marker"] or "o", color=look["color"], ms=6)
        for outside, end, mark, edge, way in ((ninety_five > high, ninety_five, ">", high, 1),
                                              (five < low, five, "<", low, -1)):
            if outside:
                axes.plot(edge, place, mark, color=look["color"], ms=7)
                text = f"median {median:.3g}" if way * (median - edge) > 0 and several else f"{end:.3g}"
                axes.annotate(text, (edge, place), (7 * way, 0), textcoords="offset points", size=TEXT,
                              ha="left" if way > 0 else "right", va="center")
    axes.axvline(target, color="black", ls="--", lw=1.2, zorder=1.5)
    axes.axvspan(target - near, target + near, color="black", alpha=0.1, lw=0)
    axes.set_xticks([tick for tick in MaxNLocator(8).tick_values(low, high) if low <= tick <= high])
    gutter = 0.18 * (high - low)  # where the values stand that lie outside
    axes.set_xlim(low - gutter * (min(ends) < low), high + gutter * (max(ends) > high))
    left_out = " that did not diverge" if any(row["diverged"] for row in rows) else ""
    axes.set_title("The last A" + f": median and 90% of the runs{left_out}" * several, loc="left")
    axes.set(xlabel="A", ylim=(0.7 - len(rows), 0.7), ylabel="" if " " in names[0] else "learning rate")
    axes.set_yticks(range(0, -len(rows), -1), names)
    arrival = axes.twinx()
    arrival.grid(False)
    arrival.set_ylim(axes.get_ylim())
    arrival.set_yticks(range(0, -len(rows), -1), [_arrival(row) for row in rows])
    arrival.tick_params(length=0)
    arrival.annotate("median run\n" * several + f"first within {near:g} of {target:g}", (1, 1), (4, 4),
                     xycoords="axes fraction", textcoords="offset points", size=TEXT)


def _arrival(row):
    steps, diverged, runs = row["steps_to_target"], row["diverged"], row["runs"]
    if diverged == runs:
        return "diverged"
    arrived = "never" if steps is None else f"{steps:,g} step{'s' * (steps != 1)}"
    return arrived + (f", {diverged:,} of {runs:,} diverged" if diverged else "")


def _draw_sweep(axes, title, rows, values, otherwise, limits):
    """A value for each rate on logarithmic axes, or a word in its stead; `otherwise`: limits where none has one."""
    rates, values = np.array([row["learning_rate"] for row in rows]), np.array(values, np.float64)
    share = np.array([row["diverged"] / row["runs"] for row in rows])
    shown = np.isfinite(values)
    values = np.maximum(values, 1e-7)  # float32 tells nothing nearer
    axes.plot(rates, values, "s-", color=style.BLUE)
    words = []
    for which, mark, word in ((shown & (share > 0), "s", "without the runs that diverged"),
                              (share == 1, "x", "diverged"), (~shown & (share < 1), "^", "never")):
        at_top = {} if mark == "s" else {"transform": axes.get_xaxis_transform()}
        if which.any():
            words += axes.plot(rates[which], np.where(shown, values, 0.94)[which], mark, ms=7, mfc="white", label=word,
                               color=style.VERMILION if at_top else style.BLUE, **at_top)
    if not shown.any():
        axes.text(0.5, 0.5, " or ".join(word.get_label() for word in words), size=14, ha="center", va="center",
                  transform=axes.transAxes)
    low, high = (np.nanmin(values) / 1.3, np.nanmax(values) * 1.3) if shown.any() else otherwise
    high *= 1 if shown.all() else (high / low) ** 0.2  # room for the words' marks
    known = sorted(limits.values())
    left = min([*rates, *(known[0] ** 3 / known[-1] ** 2 for _ in known)])  # with room for the names of the limits
    right = max([*rates, *known])
    pad = 1.1 * (right / left) ** 0.04
    axes.set(xscale="log", yscale="log", xlabel="learning rate", xlim=(left / pad, right * pad), ylim=(low, high))
    style.log_axis(axes.xaxis)
    style.log_axis(axes.yaxis)
    axes.set_title(title, loc="left", pad=10 + 15 * len(limits))
    if words:
        axes.legend(handles=words, loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=3, fontsize=TEXT,
                    frameon=False)
    _draw_limits(axes, limits)


def _draw_limits(axes, limits):
    """Each limit as a line that reaches above the panel, up to its name: they may lie too close together for more."""
    from matplotlib.transforms import offset_copy

    inside, line = axes.get_xaxis_transform(), {"arrowstyle": "-", "lw": 1.3, "shrinkA": 0, "shrinkB": 0}
    at_right = bool(limits) and limits["mean"] ** 2 > np.prod(axes.get_xlim())
    for index, name in enumerate(sorted(limits, key=limits.get, reverse=not at_right)):
        rise, (what, colour) = 8 + 15 * index, LIMITS[name]
        axes.annotate("", (limits[name], 0), (limits[name], 1), xycoords=inside, zorder=1.5,
                      textcoords=offset_copy(inside, axes.figure, 0, rise + 5, "points"),
                      arrowprops={**line, "color": colour})
        axes.annotate(f"{what} diverges beyond {limits[name]:#.3g}", (limits[name], 1), (-4 if at_right else 4, rise),
                      xycoords=inside, textcoords="offset points", size=TEXT, va="center",
                      ha="right" if at_right else "left")
