"""What the picture of a graph shows, read back from the figure and held against the nodes put in."""

import functools
import io
import itertools

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from PIL import Image

from common.pictures import graph, style


def nodes(**described):
    """Nodes from name="Operation input input", with values and gradients unlike each other's."""
    return [{"name": name, "operation": text.split()[0], "inputs": text.split()[1:], "value": 1.5 + index,
             "gradient": -0.25 - index} for index, (name, text) in enumerate(described.items())]


def made_up(seed, count=25):
    """Any graph: each node takes up to three of those before it, and every fifth has no gradient."""
    draw = np.random.default_rng(seed)
    inputs = [draw.integers(0, index, draw.integers(1, 4)) if index > 3 else [] for index in range(count)]
    made = nodes(**{f"a_rather_long_name_{index}": " ".join(["AnOperationWithALongName", *(
        f"a_rather_long_name_{at}" for at in some)]) for index, some in enumerate(inputs)})
    return [{**node, "gradient": None} if index % 5 == 0 else node for index, node in enumerate(made)]


CLASSIFICATION = nodes(
    x_data="Placeholder", A="VariableV2", my_output="AddV2 x_data A", my_output_expanded="ExpandDims my_output",
    y_target="Placeholder", y_target_expanded="ExpandDims y_target", Select="SelectV2 my_output_expanded",
    Neg="Neg my_output_expanded", Select_1="SelectV2 Neg my_output_expanded",
    mul="Mul my_output_expanded y_target_expanded", sub="Sub Select mul", Exp="Exp Select_1", Log1p="Log1p Exp",
    xentropy="AddV2 sub Log1p")
GRAPHS = {
    "classification": CLASSIFICATION,
    "regression": nodes(x_data="Placeholder", A="VariableV2", my_output="Mul x_data A", y_target="Placeholder",
                        sub="Sub my_output y_target", loss="Square sub"),
    "one node": nodes(loss="Const"),
    "a square": nodes(A="VariableV2", loss="Mul A A"),
    "a chain": nodes(n0="Const", **{f"n{index}": f"Neg n{index - 1}" for index in range(1, 25)}),
    "a sum of 12": nodes(**{f"p{index}": "Placeholder" for index in range(12)},
                         loss="AddN " + " ".join(f"p{index}" for index in range(12))),
    **{f"made up {seed}": made_up(seed) for seed in range(2)},
}


@functools.cache
def drawn(name):
    figure = graph.draw("A title", "what made it", GRAPHS[name])
    figure.draw_without_rendering()
    return figure


def boxes(figure, some_nodes):
    """The box of each node: name -> the extents in data units, which are pixels; by the texts inside, top to bottom."""
    axes, = figure.axes
    found = {}
    for patch in axes.patches:
        if isinstance(patch, FancyBboxPatch):
            box = patch.get_bbox()
            inside = sorted((text for text in axes.texts if box.contains(*text.get_position())),
                            key=lambda text: -text.get_position()[1])
            found[tuple(text.get_text() for text in inside)] = box
    named = {}
    for node in some_nodes:
        value, gradient = f"value {node['value']:.4g}", f"gradient {node['gradient'] or 0:.4g}"
        gradient = "no gradient" if node["gradient"] is None else gradient
        (texts, named[node["name"]]), = ((texts, box) for texts, box in found.items() if texts[2] == value)
        assert texts[3] == gradient
        for shown, full in zip(texts, (node["name"], node["operation"]), strict=False):
            assert shown == full or ("…" in shown and len(shown) == 18 and full.startswith(shown[:9])
                                     and full.endswith(shown[10:]))
    assert len(found) == len(some_nodes)
    return named


def arrows(figure, colour):
    """From which node to which each arrow of this colour leads, in order; found by the places of its ends."""
    axes, = figure.axes
    for patch in axes.patches:
        if isinstance(patch, FancyArrowPatch) and to_hex(patch.get_edgecolor()) == colour.lower():
            ends = patch.get_path().vertices  # the head comes last
            yield patch, ends[0], ends[-2]


def between(named, tail, tip):
    return tuple(next(name for name, box in named.items() if box.padded(12).contains(*end)) for end in (tail, tip))


@pytest.mark.parametrize("name", GRAPHS)
def test_each_node_has_a_box_of_its_own_with_its_name_operation_value_and_gradient(name):
    named = boxes(drawn(name), GRAPHS[name])  # which checks the texts
    places = list(named.values())
    assert not any(one.overlaps(other) for index, one in enumerate(places) for other in places[:index])


@pytest.mark.parametrize("name", GRAPHS)
def test_solid_arrows_lead_from_input_to_user_and_dashed_ones_with_the_gradient_back(name):
    named, figure = boxes(drawn(name), GRAPHS[name]), drawn(name)
    links = [(taken, node["name"]) for node in GRAPHS[name] for taken in node["inputs"]]
    without = {node["name"] for node in GRAPHS[name] if node["gradient"] is None}
    forward, back = (list(arrows(figure, colour)) for colour in (style.BLUE, style.VERMILION))
    assert sorted(between(named, tail, tip) for _, tail, tip in forward) == sorted(links)
    assert sorted(between(named, tail, tip) for _, tail, tip in back) == sorted(
        (user, taken) for taken, user in links if taken not in without)
    assert {patch.get_linestyle() for patch, *_ in forward} <= {"-", "solid"}
    assert not {patch.get_linestyle() for patch, *_ in back} & {"-", "solid"}
    for taken, user in links:
        assert named[taken].y0 > named[user].y1  # from top to bottom


@pytest.mark.parametrize("name", GRAPHS)
def test_no_arrow_passes_through_a_box_or_outside_the_picture(name):
    figure, places = drawn(name), boxes(drawn(name), GRAPHS[name]).values()
    axes, = figure.axes
    for colour in (style.BLUE, style.VERMILION):
        for patch, *_ in arrows(figure, colour):
            path = patch.get_path().cleaned(curves=False)
            shaft = path.vertices[:np.flatnonzero(path.codes == path.MOVETO)[1]]  # the head comes after it
            way = np.concatenate([np.linspace(*ends, 20) for ends in itertools.pairwise(shaft)])
            assert np.all(np.abs(way[:, 0]) <= axes.get_xlim()[1])
            for box in places:
                x0, y0, x1, y1 = box.padded(-3).extents
                assert not np.any((x0 < way[:, 0]) & (way[:, 0] < x1) & (y0 < way[:, 1]) & (way[:, 1] < y1))


@pytest.mark.parametrize("name", GRAPHS)
def test_every_text_can_be_read(name):
    figure = drawn(name)
    axes, = figure.axes
    assert figure.bbox.width <= 1100
    texts = [*axes.texts, *axes.get_legend().get_texts()]
    assert [text.get_text() for text in axes.texts[:2]] == ["A title", "what made it"]
    assert min(text.get_size() for text in texts) >= 9.5
    extents = [text.get_window_extent() for text in texts]
    assert all(figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1 and figure.bbox.y0 <= box.y0
               and box.y1 <= figure.bbox.y1 for box in extents)
    assert not any(one.padded(-1).overlaps(other) for index, one in enumerate(extents) for other in extents[:index])
    frames = [patch.get_window_extent() for patch in axes.patches if isinstance(patch, FancyBboxPatch)]
    assert not any(text.overlaps(frame) and not (frame.x0 < text.x0 and text.x1 < frame.x1)
                   for text in extents for frame in frames)


def test_there_is_no_minus_zero_and_numbers_that_are_none_are_shown():
    some = nodes(A="VariableV2", loss="Square A")
    some[0].update(value=-0.0, gradient=-0.0)
    some[1].update(value=float("inf"), gradient=float("nan"))
    texts = [text.get_text() for text in graph.draw("", "", some).axes[0].texts]
    assert {"value 0", "gradient 0", "value inf", "gradient nan"} <= set(texts)


def test_of_a_scope_only_the_last_name_is_shown():
    some = nodes(**{"scope/inner/A": "VariableV2"})
    assert "A" in [text.get_text() for text in graph.draw("", "", some).axes[0].texts]


def test_an_input_that_is_no_node_of_the_picture_is_left_out():
    assert len(list(arrows(graph.draw("", "", nodes(A="VariableV2", loss="Mul A Const")), style.BLUE))) == 1


def test_the_png_carries_its_metadata_and_is_the_same_whatever_the_users_settings():
    numbers = {"title": "A title", "made_by": "what made it", "nodes": GRAPHS["regression"]}
    first = graph.png({"Comment": "python recipes/regression.py"}, **numbers)
    with matplotlib.rc_context({"font.size": 30, "axes.grid": True, "patch.linewidth": 9, "savefig.dpi": 30}):
        assert graph.png({"Comment": "python recipes/regression.py"}, **numbers) == first
    assert Image.open(io.BytesIO(first)).text["Comment"] == "python recipes/regression.py"
