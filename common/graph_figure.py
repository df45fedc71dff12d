"""The picture of a computation graph: layered boxes, values going forward, gradients coming back."""

import itertools

import numpy as np

from common.drawing import BLUE, GREY, VERMILION, new_figure, png


def graph(title, nodes):
    """Draw a computation graph, each node with its value going forward and its gradient coming back.

    nodes  dicts with name, operation, inputs (names), value and gradient, each after its inputs, the loss last

    Returns the PNG as bytes.
    """
    named = {node["name"]: node for node in nodes}
    places, links = _layers(nodes)
    columns = 1 + max(column for column, _ in places.values())
    tallest = max(abs(row) for _, row in places.values())
    figure = new_figure(max(8.0, 2.15 * columns), 2.2 + 2.9 * tallest)
    figure.suptitle(title, fontweight="bold")
    axes = figure.add_axes((0.01, 0.1, 0.98, 0.8))
    axes.set(xlim=(-0.5, columns - 0.5), ylim=(-tallest - 0.35, tallest + 0.35))
    axes.axis("off")
    for chain in links:
        bends = [(places[bend][0] + side, places[bend][1]) for bend in chain[1:-1] for side in (-0.36, 0.36)]
        points = np.array([places[chain[0]], *bends, places[chain[-1]]], float)
        for sign, colour, style in ((1, BLUE, "-"), (-1, VERMILION, "--")):
            way = points + np.array([0, sign * 0.045])
            way[0, 0] += 0.36
            way[-1, 0] -= 0.36
            axes.plot(*way.T, color=colour, ls=style, lw=1.6, zorder=1)
            tip, tail = (way[-1], way[-2]) if sign > 0 else (way[0], way[1])
            axes.annotate("", tip, tip + (tail - tip) * 0.01, zorder=2,
                          arrowprops={"arrowstyle": "-|>", "color": colour, "mutation_scale": 15})
    for name, node in named.items():
        x, y = places[name]
        short = name.rsplit("/", 1)[-1]
        for size, text, colour, weight, rise in (
                (min(10, 150 / len(short)), short, "black", "bold", 0.17),
                (8.5, node["operation"], GREY, "normal", 0.065),
                (9.5, f"value {node['value']:.4g}", BLUE, "normal", -0.05),
                (9.5, f"gradient {node['gradient']:.4g}", VERMILION, "normal", -0.165)):
            axes.text(x, y + rise, text, size=size, color=colour, weight=weight, ha="center", va="center", zorder=4)
        axes.add_patch(_box(x, y))
    axes.plot([], [], color=BLUE, label="value, going forward (solid)")
    axes.plot([], [], color=VERMILION, ls="--", label="gradient of the loss, coming back (dashed)")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, -0.09), ncols=2, frameon=False, fontsize=10)
    return png(figure)


def _box(x, y):
    from matplotlib.patches import FancyBboxPatch

    return FancyBboxPatch((x - 0.34, y - 0.21), 0.68, 0.45, boxstyle="round,pad=0.02", fc="white", ec="black", zorder=3)


def _layers(nodes):
    """Place the nodes in columns, each right of its inputs and as near its first user as can be.

    Returns the place (column, row) of each node, and of each bend that keeps a long link clear of the boxes; and the
    links, as lists of places' names from input to user.
    """
    column, users = {}, {node["name"]: [] for node in nodes}
    for node in nodes:
        column[node["name"]] = 1 + max((column[name] for name in node["inputs"]), default=-1)
        for name in node["inputs"]:
            users[name].append(node["name"])
    for node in reversed(nodes):
        if users[node["name"]] and not node["inputs"]:
            column[node["name"]] = min(column[user] for user in users[node["name"]]) - 1
    rows, links = {}, []
    for name in column:
        rows.setdefault(column[name], []).append(name)
        for user in users[name]:
            bends = [(name, user, at) for at in range(column[name] + 1, column[user])]
            links.append([name, *bends, user])
            for bend in bends:
                rows.setdefault(bend[2], []).append(bend)
    row = {name: index for names in rows.values() for index, name in enumerate(names)}
    for forward in (True, False) * 4:  # each column in the order of its neighbours, back and forth
        for at in sorted(rows, reverse=not forward):
            pull = {name: [row[pair[not forward]] for chain in links for pair in itertools.pairwise(chain)
                           if pair[forward] == name] for name in rows[at]}
            rows[at].sort(key=lambda name: np.mean(pull[name]) if pull[name] else row[name])
            row.update((name, index - (len(rows[at]) - 1) / 2) for index, name in enumerate(rows[at]))
    places = {name: (at, -0.62 * row[name]) for at, names in rows.items() for name in names}
    return places, links
