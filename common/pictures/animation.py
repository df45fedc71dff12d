"""The moving picture of a run: the point on the loss over A, the tangent, the step; beside it the model as it turns."""

import io

import numpy as np

from common.pictures import process, style
from common.pictures.style import BLUE, GREEN, GREY, ORANGE, PURPLE, VERMILION

BOTH = {"left": 0.07, "right": 0.985, "bottom": 0.175, "top": 0.68, "wspace": 0.12, "width_ratios": (1.3, 1)}
COLOURS = BLUE, GREEN, GREY, ORANGE, PURPLE, VERMILION, "#000000"
DEPTHS = 1, 0.7, 0.4, 0.15  # tints of the colours: with white, the palette of all frames
BRIEF, LONG, LAST = 120, 300, 3000  # milliseconds that a frame is seen: a whole step's, a phase's, the last one


def shown(steps):
    """The step that each frame shows, int64 [40 to 100] ascending, of a run of `steps` steps.

    A step has several frames, for its phases, if there are few steps, or in the beginning. Of many steps, half of those
    shown are evenly spread and half ever farther apart, since a run moves most in its beginning.
    """
    if steps <= 30:
        return np.repeat(np.arange(1, steps + 1), max(3, -(-40 // steps)))
    chosen = np.r_[1:steps + 1] if steps <= 90 else np.unique(
        np.rint([np.linspace(1, steps, 45), np.geomspace(1, steps, 45)]).astype(int))
    return np.sort(np.r_[chosen, np.repeat(chosen[:5], 2)])


def gif(metadata, **numbers):
    """The bytes of a GIF of the `frames` that the numbers make, with `metadata`, a dict of texts, as its comment."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.colors import to_rgb
    from PIL import Image

    tints = [1 + depth * (np.array(to_rgb(colour)) - 1) for colour in COLOURS for depth in DEPTHS]
    palette = Image.new("P", (1, 1))
    palette.putpalette(np.rint(255 * np.array([[1, 1, 1], *tints])).astype(np.uint8).tobytes())
    steps, images = numbers["steps"], []
    for figure, artists in frames(**numbers):
        if not images:
            canvas = FigureCanvasAgg(figure)
            canvas.draw()  # all but the artists that move
            still = canvas.copy_from_bbox(figure.bbox)
        canvas.restore_region(still)
        for artist in artists.values():
            figure.draw_artist(artist)
        image = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3])
        images.append(image.quantize(palette=palette, dither=0))
        if len(images) % 10 == 0:
            process.tell(len(images), len(steps))
    seen = np.where(np.isin(steps, steps[1:][np.diff(steps) == 0]), LONG, BRIEF)
    seen[-1] = LAST
    content = io.BytesIO()
    comment = "\n".join(f"{name}: {text}" for name, text in metadata.items())
    images[0].save(content, "GIF", save_all=True, append_images=images[1:], loop=0, optimize=True,
                   duration=seen.tolist(), comment=comment.encode())
    return content.getvalue()


def frames(title, made_by, steps, x, y, A_before, A_after, loss, gradient, grid, mean, own, x_vals, y_vals, curve_x,
           model, target, best=None, boundary=None):
    """Yield, frame by frame, the matplotlib figure and a dict of the artists that move, set for this frame.

    title, made_by                   its first two lines
    steps, x, y [frames]             the step that a frame shows, and the sample fed in it
    A_before, A_after [frames]       A before and after the step
    loss, gradient [frames]          of that sample, at A_before
    grid, mean [k]; own [frames, k]  the loss over A: mean of all samples, and of the very sample
    x_vals, y_vals [samples]         all samples and their targets
    curve_x [p]; model [frames, p]   the model's output with A_before
    target, best                     A in theory, and with the least loss over these samples (None: not known)
    boundary [frames]                the x that divides the two classes of a classification, or None where there is none
    """
    figure = style.new_figure(860, 450)
    figure.text(0.02, 0.935, title, fontsize=13, fontweight="bold")
    figure.text(0.02, 0.885, made_by, color=GREY)
    panels = figure.subplots(1, 2, gridspec_kw=BOTH)
    artists = {**_draw_loss(panels[0], grid, mean, loss, target, best),
               **_draw_model(panels[1], x_vals, y_vals, curve_x, model, boundary)}
    artists["progress"], = panels[0].plot([], [], color=GREY, lw=4, transform=figure.transFigure, clip_on=False)
    artists["caption"] = figure.text(0.02, 0.04, "")
    for panel, text, *columns in (panels[0], "The loss over A", -12, 160, 270), (panels[1], "The model", -12, 100):
        panel.set_title(text, loc="left", pad=52)
        style.key(panel, 3, *columns)
    for artist in artists.values():
        artist.set_animated(True)

    reach = 0.12 * (grid[-1] - grid[0]) * np.array([-1, 1])
    for index, step in enumerate(steps):
        first, end = np.searchsorted(steps, (step, step + 1))
        phase = 3 * (index - first) // (end - first) if end - first > 1 else 2
        A, A_next, on_mean = A_before[index], A_after[index], np.interp(A_before[: index + 1], grid, mean)
        artists["trail"].set_data(A_before[: index + 1], on_mean)
        artists["own"].set_data(grid, own[index])
        artists["tangent"].set_data(A + reach, loss[index] + gradient[index] * reach)
        artists["tangent"].set_visible(phase > 0)
        _place(artists["A"], A, on_mean[-1])
        _place(artists["point"], A, loss[index])
        _point(artists["step"], (A, loss[index]), (A_next, np.interp(A_next, grid, own[index])), phase > 1)
        artists["model"].set_data(curve_x, model[index])
        artists["error"].set_data([x[index]] * 2, [y[index], np.interp(x[index], curve_x, model[index])])
        artists["fed"].set_data([x[index]], [y[index]])
        if boundary is not None:
            _place(artists["boundary"], np.nan if boundary[index] is None else boundary[index], 0.5)
        artists["progress"].set_data([0, (index + 1) / len(steps)], [0, 0])
        parts = (f"step {step:,}: sample x = {x[index]:.4g}, target {y[index]:g}; A = {A:.5g}, loss {loss[index]:.4g}",
                 f", gradient {gradient[index]:.4g}", f"; new A = {A_next:.5g}")
        artists["caption"].set_text("".join(parts[: phase + 1]))
        yield figure, artists


def _draw_loss(axes, grid, mean, loss, target, best):
    """The loss over A: what stands still is drawn, what moves is returned, empty, by its name."""
    axes.plot(grid, mean, color=BLUE, lw=2, label="mean of all samples")
    top = np.clip(np.max(loss[np.isfinite(loss)], initial=0), mean.max(), 2.5 * mean.max())
    axes.set(xlim=(grid[0], grid[-1]), ylim=(-0.06 * top, 1.06 * top), xlabel="A")
    style.plain_axis(axes.xaxis, 7)
    style.plain_axis(axes.yaxis, 5)
    artists = {"trail": axes.plot([], [], "o", ms=3, color=ORANGE)[0],
               "own": axes.plot([], [], color=PURPLE, lw=2, label="the step's sample")[0],
               "tangent": axes.plot([], [], color="black", lw=1.5, label="its tangent")[0],
               "step": axes.annotate("", (0, 0), (0, 0), arrowprops={"arrowstyle": "-|>", "color": VERMILION, "lw": 2,
                                                                     "shrinkA": 0, "shrinkB": 0}),
               "A": axes.plot([], [], "o", ms=9, color=BLUE, mec="black", label="A")[0],
               "point": axes.plot([], [], "o", ms=7, color=PURPLE, mec="black")[0]}
    axes.plot([], [], color=VERMILION, lw=2, label="the step")
    axes.axvline(target, color=VERMILION, ls="--", lw=1.5, label=f"in theory: {target:g}")
    if best is not None and grid[0] < best < grid[-1]:
        axes.axvline(best, color=GREEN, ls=":", lw=2, label=f"least loss: {best:.4g}")
    return artists


def _draw_model(axes, x_vals, y_vals, curve_x, model, boundary):
    """The samples and the model, in the same way."""
    for group_x, group_y, colour, mark, text in style.groups(x_vals, y_vals):
        axes.plot(group_x, group_y, mark, ms=5, color=colour, mec="black", mew=0.4, label=text)
    low, high = np.min(curve_x), np.max(curve_x)
    axes.set(xlim=(low, high), ylim=style.frame(y_vals, model[0], *model), xlabel="x")
    style.plain_axis(axes.xaxis, 6)
    style.plain_axis(axes.yaxis, 5)
    artists = {"model": axes.plot([], [], color=BLUE, lw=2, label="the model")[0],
               "error": axes.plot([], [], color=PURPLE, lw=2)[0],
               "fed": axes.plot([], [], "o", ms=10, mfc="none", mec=PURPLE, mew=2.5, label="the step's sample")[0]}
    if boundary is not None:
        artists["boundary"], = axes.plot([], [], "|", ms=11, mew=2, color=VERMILION, label="boundary")
    return artists


def _place(artist, x, y):
    """Put a point to its place, or as an arrowhead to the edge behind which it lies."""
    (left, right), (bottom, top) = artist.axes.get_xlim(), artist.axes.get_ylim()
    width, height = 0.015 * (right - left), 0.03 * (top - bottom)  # of an arrowhead, to be seen whole
    edges = (("<", x < left, left + width, y), (">", x > right, right - width, y),
             ("v", y < bottom, x, bottom + height), ("^", y > top, x, top - height))
    home = "|" if artist.get_label() == "boundary" else "o", True, x, y
    mark, _, x, y = next((edge for edge in edges if edge[1]), home)
    artist.set_marker(mark)
    artist.set_data([x], [np.clip(y, bottom, top)])


def _point(arrow, start, end, visible):
    """Let the arrow point from start to end, as far as that can be seen."""
    start, end = np.clip([start, end], *np.transpose([arrow.axes.get_xlim(), arrow.axes.get_ylim()]))
    length = np.hypot(*np.subtract(*arrow.axes.transData.transform([start, end])))  # in pixels
    arrow.set_visible(bool(visible and length > 2))  # which nan is not
    arrow.arrow_patch.set_mutation_scale(np.clip(length, 3, 14))
    arrow.xy, arrow.xyann = end, start
