"""The pictures of a run and of a comparison: plain numbers in, a PNG out."""

import numpy as np

from common.drawing import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION, new_figure, plain_numbers, png

SIDE_BY_SIDE = {"left": 0.05, "right": 0.99, "bottom": 0.115, "top": 0.86, "wspace": 0.21}  # of the figure
COLOURS = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY, GREY)
DASHES = ("-", "--", ":", "-.")


def training(title, A, loss, target, best, x_vals, y_vals, x, before, after, boundary=None):
    """Draw one run: how `A` moves, how the loss falls, and what the model makes of the samples before and after.

    A [steps + 1], loss [steps]   after each step, `A` with its starting value in front
    target, best                  `A` in theory, and with the least loss over these very samples
    x_vals, y_vals [samples]      the samples and their targets
    x, before, after [points]     the model's curve over x with the first and the last `A`
    boundary                      the x that divides the two classes of a classification

    Returns the PNG as bytes.
    """
    A, loss = np.array(A, np.float64), np.array(loss, np.float64)
    figure = new_figure(13, 4.3)
    figure.suptitle(title, fontweight="bold")
    path, fall, fit = figure.subplots(1, 3, gridspec_kw=SIDE_BY_SIDE)

    path.plot(A, color=BLUE, lw=2, label="A after each step")
    path.axhline(target, color=VERMILION, ls="--", lw=1.5, label=f"in theory: {target:g}")
    path.axhline(best, color=GREEN, ls=":", lw=2, label=f"least loss for these samples: {best:.4g}")
    path.set(title="A, step by step", xlabel="step", ylabel="A")
    if np.nanmax(np.abs(A[np.isfinite(A)])) > 1e4:
        path.set_yscale("symlog", linthresh=100)
    path.legend(loc="best")

    steps = np.arange(1, len(loss) + 1)
    drawn = np.isfinite(loss) & (loss > 0)
    fall.scatter(steps[drawn], loss[drawn], s=9, color=BLUE, alpha=0.45, lw=0, label="on the sample of the step")
    window = max(5, len(loss) // 20)
    if drawn.all() and len(loss) > window:
        mean = np.convolve(loss, np.full(window, 1 / window), "valid")
        fall.plot(steps[window - 1 :], mean, color=VERMILION, lw=2, label=f"mean of the last {window} steps")
    fall.set(title="The loss, step by step", xlabel="step", ylabel="loss (logarithmic)", yscale="log")
    plain_numbers(fall.yaxis)
    fall.legend(loc="best")

    fit.set(title="The model before and after", xlabel="x", ylabel="output")
    fit.plot(x, before, color=GREY, ls="--", lw=1.5, label=f"before: A = {A[0]:.4g}")
    fit.plot(x, after, color=BLUE, lw=2, label=f"after: A = {A[-1]:.4g}")
    for value, colour, mark in zip(np.unique(y_vals), (ORANGE, GREEN), "os", strict=False):
        group = x_vals[y_vals == value]
        fit.scatter(group, np.full(group.shape, value), s=26, marker=mark, color=colour, edgecolor="black", lw=0.4,
                    zorder=3, label=f"{group.size} samples with target {value:g}")
    if boundary is not None:
        fit.axvline(boundary, color=VERMILION, ls="-.", lw=1.5, label=f"boundary: x = {boundary:.4g}")
    if boundary is None:
        fit.legend(loc="best")
    else:  # between the two rows of samples, where the curve has already risen
        fit.legend(loc="center right", bbox_to_anchor=(1, 0.3))
    return png(figure)


def comparison(title, rows, curves, target, near, limit=None):
    """Draw a comparison: `A` against the steps for each row, where its runs end and, for a sweep of rates, how well.

    rows    dicts of figures, as `comparison.summary` makes them
    curves  for each row (at, low, middle, high), float64 [points] each: steps, and percentiles 5, 50 and 95 of `A`
    target  of `A`; near  how close counts as arrived
    limit   the rate at which gradient descent diverges in theory, or None

    Returns the PNG as bytes.
    """
    sweep = len(rows) > 2 and len({row["optimizer"] for row in rows}) == 1
    height = max(4.6, 1.5 + 0.28 * len(rows))
    figure = new_figure(13, height)
    runs = rows[0]["runs"]
    figure.suptitle(title if runs == 1 else f"{title}, {runs:,} runs of each", fontweight="bold")
    bottom, top = 0.55 / height, 1 - 0.7 / height
    path = figure.add_axes((0.05, bottom, 0.28 if sweep else 0.38, top - bottom))
    last = figure.add_axes((0.40 if sweep else 0.62, bottom, 0.20 if sweep else 0.28, top - bottom))

    bands = runs > 1 and len(rows) < 7
    start = np.median([middle[0] for _, _, middle, _ in curves])
    for index, (row, (at, low, middle, high)) in enumerate(zip(rows, curves, strict=True)):
        look = {"color": COLOURS[index % 7], "ls": DASHES[index // 7 % 4]}
        away = np.flatnonzero(~(np.abs(middle - target) < 3 * abs(start - target)))
        seen = slice(away[0] + 1 if away.size else None)  # what diverges is drawn until it leaves the frame
        path.plot(at[seen], middle[seen], lw=1.8, **look)
        if bands and not away.size:
            path.fill_between(at, low, high, color=look["color"], alpha=0.15, lw=0)
        if row["A_mean"] is not None:
            last.plot([row["A_p05"], row["A_p95"]], [-index] * 2, lw=2.5, **look)
            last.plot(row["A_p50"], -index, "o", color=look["color"])
    path.axhline(target, color="black", ls=":", lw=1)
    path.set_ylim(*sorted((start - 0.25 * (target - start), target + 0.25 * (target - start))))
    path.set(title="A, step by step" + (": median" + " and 90%" * bands + " of the runs" if runs > 1 else ""),
             xlabel="step", ylabel="A")

    names = [f"{'' if sweep else row['optimizer']} {row['learning_rate']:g}" for row in rows]
    places = range(0, -len(rows), -1)
    last.set_yticks(places, names)
    last.set_ylim(0.6 - len(rows), 0.6)
    ends = [row[key] for row in rows for key in ("A_p05", "A_p95") if row[key] is not None]
    ends += [target - near, target + near]
    ends = np.clip(ends, target - 14, target + 14)
    last.set_xlim(ends.min() - 0.04 * np.ptp(ends), ends.max() + 0.04 * np.ptp(ends))
    last.axvline(target, color="black", ls=":", lw=1)
    last.set(title="The last A" + (": median and 90% of the runs" if runs > 1 else ""), xlabel="A",
             ylabel="learning rate" if sweep else "")
    arrival = last.twinx()
    arrival.grid(False)
    arrival.set_ylim(last.get_ylim())
    arrival.set_yticks(places, [_arrival(row) for row in rows])
    arrival.tick_params(length=0)
    if sweep:
        exact = figure.add_axes((0.76, (bottom + top) / 2 + 0.02, 0.23, (top - bottom) / 2 - 0.02))
        fast = figure.add_axes((0.76, bottom, 0.23, (top - bottom) / 2 - 0.02), sharex=exact)
        _draw_sweep(exact, fast, rows, target, near, limit)
    return png(figure)


def _arrival(row):
    if row["diverged"] == row["runs"]:
        return "diverged"
    arrived = "never" if row["steps_to_target"] is None else f"{row['steps_to_target']:g} steps"
    return arrived + (f", {row['diverged']:,} diverged" if row["diverged"] else "")


def _draw_sweep(exact, fast, rows, target, near, limit):
    """The page's table as a picture: how exact and how fast a rate is, on logarithmic axes."""
    kept = [row for row in rows if row["A_mean"] is not None]
    rates = [row["learning_rate"] for row in kept]
    errors = [np.hypot(row["A_mean"] - target, row["A_sd"]) for row in kept]
    steps = [row["steps_to_target"] or np.nan for row in kept]
    for axes, values, mark, label in ((exact, errors, "o-", "r.m.s. error of A"),
                                      (fast, steps, "s-", f"steps until within {near:g}")):
        axes.plot(rates, values, mark, color=BLUE)
        if limit is not None and rows[0]["optimizer"] == "gradient-descent":
            axes.axvline(limit, color=VERMILION, ls="--", label=f"diverges in theory: {limit:.3g}")
        for index, rate in enumerate(row["learning_rate"] for row in rows if row["diverged"]):
            axes.axvline(rate, color=ORANGE, lw=6, alpha=0.4, label="runs diverged" if index == 0 else None)
        axes.set(xscale="log", yscale="log", ylabel=label)
        for axis in (axes.xaxis, axes.yaxis):
            low, high = axis.get_view_interval()
            axis.set_major_locator(_log_ticks(subs=(1, 2, 5) if high < 300 * low else (1,)))
            plain_numbers(axis)
    if exact.get_legend_handles_labels()[1]:
        exact.legend(loc="upper center")
    exact.tick_params(labelbottom=False)
    exact.set_title("Exactness and speed against the rate")
    fast.set_xlabel("learning rate")


def _log_ticks(subs):
    from matplotlib.ticker import LogLocator

    return LogLocator(subs=subs)
