"""The look that all pictures share, and what their axes have in common. Nothing here needs a display or pyplot."""

import io
import logging
import math
import os

import numpy as np

# Okabe and Ito's colours, which readers with any colour vision can tell apart; nothing is told by colour alone.
BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY, GREY = (
    "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#5F5F5F")
DPI = 100


def new_figure(width, height):
    """An empty matplotlib figure, `width` and `height` in pixels, that looks the same whatever a user's settings."""
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # an unwritable home is no reason for a warning
    os.environ.pop("MPLBACKEND", None)  # the picture goes to a file
    import matplotlib
    from matplotlib.figure import Figure

    matplotlib.rcParams.update(matplotlib.rcParamsDefault)
    matplotlib.rcParams.update({
        "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.alpha": 0.3,
        "axes.titlesize": 11, "axes.titley": 1.0,  # which is not looked for anew at each drawing
        "legend.fontsize": 9.5, "legend.framealpha": 0.9, "xtick.labelsize": 9.5, "ytick.labelsize": 9.5})
    return Figure(figsize=(width / DPI, height / DPI), dpi=DPI)


def png(figure, metadata):
    """The figure as the bytes of a PNG file that carries `metadata`, a dict of texts."""
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=DPI, metadata=metadata, pil_kwargs={"compress_level": 1})
    return content.getvalue()


def log_axis(axis):
    """Give a logarithmic matplotlib `axis`, whose limits are set, two to seven ticks labelled as 0.01, 1, 100.

    Its own would be powers of ten, which take longer to set than the rest of the picture, and none within a decade.
    """
    from matplotlib.ticker import MaxNLocator, NullLocator

    low, high = sorted(axis.get_view_interval())
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    apart = math.ceil((last - first) / 7)
    for digits in ((1,), (1, 3), (1, 2, 5)):
        ticks = [digit * 10.0**decade for decade in range(first, last + 1) if decade % apart == 0 for digit in digits]
        ticks = [tick for tick in ticks if low <= tick <= high]
        if len(ticks) > 2:
            break
    label = "{:g}"
    if len(ticks) < 2:
        label = "{:.10g}"
        ticks = [tick for tick in MaxNLocator(5, steps=[1, 2, 5, 10]).tick_values(low, high) if low <= tick <= high]
    axis.set_ticks(ticks, [label.format(tick) for tick in ticks])
    axis.set_minor_locator(NullLocator())


def plain_axis(axis, most):
    """Give a linear matplotlib `axis` at most `most` + 1 ticks, written out in full: no power of ten, no offset."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(most, steps=[1, 2, 5, 10]))
    axis.set_major_formatter("{x:g}")


def frame(y_vals, first, *others):
    """(low, high): the range of the model's output to draw: the samples, a first curve and what is near of others."""
    values = np.r_[y_vals, first[np.isfinite(first)]]
    reach = max(np.ptp(values), 0.1, 0.1 * np.abs(values).max())
    clipped = [np.clip(other, values.min() - reach, values.max() + reach) for other in others]
    low, high = np.nanmin([values.min(), *map(np.min, clipped)]), np.nanmax([values.max(), *map(np.max, clipped)])
    margin = 0.08 * (high - low) or reach
    return low - margin, high + margin


def groups(x_vals, y_vals):
    """The samples by their target, or all together if there are more than two: their x and y, colour, mark and name."""
    values = np.unique(y_vals)
    if len(values) > 2:
        return [(x_vals, y_vals, ORANGE, "o", "different targets")]
    parts = [y_vals == value for value in values]
    return [(x_vals[part], y_vals[part], colour, mark, f"target {value:g}")
            for part, value, colour, mark in zip(parts, values, (ORANGE, GREEN), "os", strict=False)]


def key(axes, rows, *columns):
    """Say in up to `rows` rows above `axes`, in columns that begin so many pixels from its left, what its lines mean.

    matplotlib's own legend, which finds its measures by itself, takes a sixth of the time of the picture of a run.
    """
    from matplotlib.lines import Line2D
    from matplotlib.transforms import IdentityTransform

    pixels, (left, top) = IdentityTransform(), axes.transAxes.transform((0, 1))
    labelled = [line for line in axes.get_lines() if not line.get_label().startswith("_")]
    for index, line in enumerate(labelled):
        column, row = divmod(index, rows)
        x, y = left + columns[column], top + 20 * (min(rows, len(labelled)) - row) - 8
        look = Line2D([x, x + 13, x + 26], [y] * 3, markevery=[1])
        look.update_from(line)
        look.set(transform=pixels, clip_on=False)
        axes.figure.add_artist(look)
        axes.figure.text(x + 34, y, line.get_label(), size=9.5, va="center_baseline", transform=pixels)
