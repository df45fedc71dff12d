"""The picture of a computation graph: boxes from top to bottom, values going down and gradients coming back up."""

import itertools
import textwrap
from collections import Counter

import numpy as np

from common.pictures import style

MOST_WIDE, MOST_BOXES = 1060, 4  # pixels, and boxes in one layer
BOX, LAYER = np.array((172, 84)), 142  # pixels of a box, and from one layer to the next
GAP, BEND, PORT, APART = 24, 38, 34, 7  # pixels beside a box, for a link that passes, between links, of its two arrows


def png(metadata, **numbers):
    """The bytes of the PNG file of `draw(**numbers)`, with a dict of texts as its metadata."""
    return style.png(draw(**numbers), metadata)


def draw(title, made_by, nodes):
    """Draw a computation graph, each node with its value going forward and its gradient coming back.

    title, made_by  the lines above the picture: what it shows, and the settings that it comes from
    nodes  dicts with name, operation, inputs (names), value and gradient (floats; a gradient may be None), each after
           its inputs, the loss last

    Returns a matplotlib Figure, a data unit a pixel.
    """
    from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

    places, links = _layout(nodes)
    half = np.clip(20 + max(abs(x) + _wide(place) / 2 for place, (x, _) in places.items()), 330, MOST_WIDE / 2 + 20)
    head = [(line, 12, "bold") for line in textwrap.wrap(title, int(half / 5))]
    head += [(line, 9.5, "normal") for line in textwrap.wrap(made_by, int(half / 3.8))]
    bottom, top = -BOX[1] / 2 - 45, max(y for _, y in places.values()) + BOX[1] / 2 + 25 + 22 * len(head)
    figure = style.new_figure(2 * half, top - bottom)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(-half, half), ylim=(bottom, top))
    axes.axis("off")
    for index, (line, size, weight) in enumerate(head):
        axes.text(0, top - 20 - 22 * index, line, size=size, weight=weight, ha="center", va="center")
    no_gradient = {node["name"] for node in nodes if node["gradient"] is None}
    for link, forward, back in _ways(places, links):
        for path, colour, dashes in ((forward, style.BLUE, "-"), (back, style.VERMILION, (0, (4, 2)))):
            if path is forward or link[0] not in no_gradient:
                axes.add_patch(FancyArrowPatch(path=path, arrowstyle="-|>", mutation_scale=14, lw=1.6, color=colour,
                                               ls=dashes, capstyle="butt"))
    for node in nodes:
        x, y = places[node["name"]]
        gradient = "no gradient" if node["gradient"] is None else f"gradient {_number(node['gradient'])}"
        axes.add_patch(FancyBboxPatch((x, y) - BOX / 2, *BOX, boxstyle="round,pad=0,rounding_size=8",
                                      fc="white", ec="black", zorder=3))
        for rise, text, colour, weight in (
                (28, _short(node["name"].rsplit("/", 1)[-1], 18), "black", "bold"),
                (9, _short(node["operation"], 18), style.GREY, "normal"),
                (-10, f"value {_number(node['value'])}", style.BLUE, "normal"),
                (-29, gradient, style.VERMILION, "normal")):
            axes.text(x, y + rise, text, size=9.5, color=colour, weight=weight, ha="center", va="center", zorder=4)
    axes.plot([], [], color=style.BLUE, label="value, going forward (solid)")
    axes.plot([], [], color=style.VERMILION, ls="--", label="gradient of the loss, coming back (dashed)")
    axes.legend(loc="lower center", ncols=2, frameon=False, fontsize=9.5)
    return figure


def _number(value):
    return f"{value + 0.0:.4g}"  # never -0


def _short(name, most):
    return name if len(name) <= most else f"{name[:most // 2]}…{name[1 - most // 2:]}"


def _layout(nodes):
    """Place the nodes in layers, each above its users and as near to them as can be.

    Returns the place (x, y) of each node, and of each bend that leads a long link past the boxes between; and the
    links, as lists of places' names from input to user.
    """
    layer, filled, links = {}, Counter(), []
    for node in reversed(nodes):
        users = [user for user in nodes if node["name"] in user["inputs"]]
        at = 1 + max((layer[user["name"]] for user in users), default=-1)
        while filled[at] == MOST_BOXES:
            at += 1
        filled[at] += 1
        layer[node["name"]] = at
    for user, name in ((node["name"], name) for node in nodes for name in node["inputs"] if name in layer):
        bends = [(len(links), at) for at in range(layer[name] - 1, layer[user], -1)]
        layer.update(dict(zip(bends, range(layer[name] - 1, layer[user], -1), strict=True)))
        links.append([name, *bends, user])
    near = {place: ([], []) for place in layer}  # a place's neighbours below it and above
    for upper, lower in itertools.chain.from_iterable(map(itertools.pairwise, links)):
        near[upper][0].append(lower)
        near[lower][1].append(upper)
    rows = [[place for place in reversed(layer) if layer[place] == at] for at in range(1 + max(layer.values()))]
    x = {place: 200.0 * index for row in rows for index, place in enumerate(row)}
    for turn in range(20):  # each layer in the order of its neighbours below or above; then where links run straightest
        upward = turn % 2 == 0
        for row in rows if upward else rows[::-1]:
            beside = {place: near[place][not upward] + (near[place][upward] if turn > 11 else []) for place in row}
            wish = {place: np.mean([x[other] for other in beside[place] or [place]]) for place in row}
            if turn <= 11:
                row.sort(key=wish.get)
            x.update(zip(row, _spread(row, wish), strict=True))
    middle = (min(at - _wide(place) / 2 for place, at in x.items()) + max(
        at + _wide(place) / 2 for place, at in x.items())) / 2
    return {place: np.array((x[place] - middle, layer[place] * LAYER)) for place in layer}, links


def _wide(place):
    return BOX[0] + GAP if isinstance(place, str) else BEND  # a box, or a bend


def _spread(row, wish):
    """The x of each place of a layer, in this order and none on another, with the least squares to what it wishes."""
    wide = np.array([_wide(place) for place in row], float)
    bends = wide == BEND
    wide[bends] = min(BEND, (MOST_WIDE - wide[~bends].sum()) / max(1, bends.sum()))
    packed = np.cumsum(wide) - wide / 2
    blocks = []  # of places that touch: how far they lie from being packed at the left, and how many they are
    for place, at in zip(row, packed, strict=True):
        blocks.append((wish[place] - at, 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (left, m), (right, n) = blocks[-2:]
            blocks[-2:] = [((m * left + n * right) / (m + n), m + n)]
    shift = np.repeat([shift for shift, _ in blocks], [count for _, count in blocks])
    return np.clip(shift, -MOST_WIDE / 2, MOST_WIDE / 2 - wide.sum()) + packed


def _ways(places, links):
    """For each link its paths forward and back: smooth between the layers, upright beside the boxes that it passes."""
    from matplotlib.path import Path

    port = {}
    for end, step in ((0, 1), (-1, -2)):  # where links leave a box below, and where they arrive above, side by side
        for name in {link[end] for link in links}:
            there = sorted((index for index, link in enumerate(links) if link[end] == name),
                           key=lambda index: places[links[index][step]][0])
            room = min(PORT, (BOX[0] - 20) / len(there))
            for index, number in enumerate(there):
                port[number, end] = places[name][0] + (index - (len(there) - 1) / 2) * room
    for number, link in enumerate(links):
        x = [port[number, 0], *(places[bend][0] for bend in link[1:-1]), port[number, -1]]
        ways = []
        for side in (-APART, APART):
            points, codes = [], []
            for (left, upper), (right, lower) in itertools.pairwise(zip(x, link, strict=True)):
                top, bottom = places[upper][1] - BOX[1] / 2, places[lower][1] + BOX[1] / 2
                lean = np.clip((right - left) / 8, -1, 1) * side  # keeps the two apart where they run sideways
                half = (top + bottom) / 2 + lean
                points += [(left + side, top), (left + side, half), (right + side, half), (right + side, bottom)]
                codes += [Path.LINETO, Path.CURVE4, Path.CURVE4, Path.CURVE4]
            codes[0] = Path.MOVETO
            if side > 0:
                points = points[::-1]
                codes = [Path.MOVETO, *codes[:0:-1]]
            ways.append(Path(points, codes))
        yield link, *ways
