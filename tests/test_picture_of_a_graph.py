"""What the picture of a step of back propagation shows, read back from the figure."""

import itertools
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import ArrowStyle
from test_picture_of_a_comparison import assert_readable, drawn, words

from common.pictures import graph, style


def nodes(**described):
    """Nodes from name="Operation input input", each with a value and a gradient of its own."""
    return [{"name": name, "operation": text.split()[0], "inputs": text.split()[1:], "value": 1.5 + index,
             "gradient": -0.25 - index} for index, (name, text) in enumerate(described.items())]


def draw(some_nodes, update=None):
    return drawn(graph, SimpleNamespace(made_by="A title; made so", step=1234, nodes=some_nodes, update=update))


MOMENTUM = {"optimizer": "momentum", "rate": 0.005, "remembers": {"velocity": (-3.4737277, -1.4555532)},
            "A": (2.5, 2.5072776), "lines": ["velocity' = 0.9 × (-3.4737277) + 1.6708018 = -1.455553",
                                             "A' = 2.5 - 0.005 × (-1.4555532) = 2.507278"]}
REGRESSION = nodes(x_data="Placeholder", A="Variable", my_output="Mul x_data A", y_target="Placeholder",
                   sub="Sub my_output y_target", loss="Square sub")
GRAPHS = {
    "regression": REGRESSION, "one node": nodes(loss="Const"), "a square": nodes(A="Variable", loss="Mul A A"),
    "classification": nodes(
        x_data="Placeholder", A="Variable", my_output="AddV2 x_data A", my_output_expanded="ExpandDims my_output",
        Select="Select my_output_expanded", y_target="Placeholder", y_target_expanded="ExpandDims y_target",
        mul="Mul my_output_expanded y_target_expanded", sub="Sub Select mul", Neg="Neg my_output_expanded",
        Select_1="Select Neg my_output_expanded", Exp="Exp Select_1", Log1p="Log1p Exp", xentropy="AddV2 sub Log1p"),
    "a sum of 12": nodes(**{f"p{index}": "Placeholder" for index in range(12)},
                         loss="AddN " + " ".join(f"p{index}" for index in range(12)))}


def boxes(figure):
    """[the texts in each node's box, its extents]; data units are hundredths of an inch."""
    texts = [text for text in figure.axes[0].texts if text.get_text()]
    for box in (patch.get_bbox() for patch in figure.axes[0].patches):
        yield [text.get_text() for text in texts if box.contains(*text.get_position())], box


def arrows(figure):
    """The empty texts that arrows belong to; each knows where its arrow starts and ends."""
    return [text for text in figure.axes[0].texts if getattr(text, "arrow_patch", None)]


def box_of_the_update(figure):
    return next(text for text in figure.axes[0].texts if text.get_bbox_patch())


def extent(figure, patch):
    return patch.get_window_extent().transformed(figure.axes[0].transData.inverted())


@pytest.mark.parametrize("name", GRAPHS)
def test_each_node_has_a_box_with_its_value_and_gradient_and_can_be_read(name):
    assert_readable(figure := draw(GRAPHS[name], MOMENTUM))
    found, places = zip(*boxes(figure), strict=True)
    assert list(found) == [
        [f"{node['name']}  ({node['operation']})", f"value {node['value']:g}", f"gradient {node['gradient']:g}"]
        for node in GRAPHS[name]]
    update = extent(figure, box_of_the_update(figure).get_bbox_patch())
    assert all(upper.y0 > lower.y1 for upper, lower in itertools.pairwise([*places, update]))
    assert figure.axes[0].get_ylim()[0] < update.y0


@pytest.mark.parametrize("name", GRAPHS)
def test_solid_arrows_lead_from_input_to_user_at_the_left_and_dashed_ones_back_at_the_right(name):
    figure = draw(GRAPHS[name])
    figure.draw_without_rendering()
    sides = {-1: [], 1: []}
    for text in arrows(figure):
        arrow, side = text.arrow_patch, int(np.sign(text.xy[0]))
        look = to_hex(arrow.get_edgecolor()).upper(), arrow.get_linestyle() in ("-", "solid")
        assert look == (style.BLUE if side < 0 else style.VERMILION, side < 0)
        assert isinstance(arrow.get_arrowstyle(), ArrowStyle.CurveFilledB)  # its head is at the end
        assert text.xyann[0] == text.xy[0] == side * graph.BOX / 2
        ends = [texts[0].split()[0] for _, y in (text.xyann, text.xy) for texts, box in boxes(figure)
                if box.y0 < y < box.y1]
        sides[side].append(tuple(ends[::-side]))
        far = np.abs(extent(figure, arrow).intervalx).max()
        assert graph.BOX / 2 + 5 < far < graph.WIDTH / 2  # beside the boxes, inside the picture
    links = Counter((source, node["name"]) for node in GRAPHS[name] for source in node["inputs"])
    assert Counter(sides[-1]) == Counter(sides[1]) == links


def test_the_update_is_shown_with_what_the_optimizer_remembers_before_and_after():
    assert box_of_the_update(draw(REGRESSION, MOMENTUM)).get_text().splitlines() == [
        "The update: momentum, learning rate 0.005", "It remembers velocity -3.474 before, -1.456 after",
        *MOMENTUM["lines"]]
    found = words(draw(REGRESSION, MOMENTUM))
    sentence = "Step 1,234: values go forward, and the gradient of the loss comes back"
    assert {f"{sentence}; momentum moves A from 2.5 to 2.507", "A title; made so"} <= set(found)
    plain = {**MOMENTUM, "optimizer": "gradient-descent", "remembers": {}, "lines": ["A' = 1e-05 × 2 = 2"]}
    assert box_of_the_update(draw(REGRESSION, plain)).get_text().splitlines()[1:] == [
        "It remembers nothing from step to step", "A' = 1e-05 × 2 = 2"]
    assert sentence in words(draw(REGRESSION))


def test_odd_numbers_long_names_and_very_many_nodes_can_be_read():
    some = nodes(**{"A" * 60: "Variable", "loss": "Square " + "A" * 60})
    some[0].update(value=-0.0)
    some[1].update(value=float("inf"), gradient=float("nan"))
    remembers = {f"memory_{index}": (1e-12, -1.234e30) for index in range(9)}
    long = {**MOMENTUM, "remembers": remembers, "lines": ["A' = " + "1 + " * 60]}
    figure = draw(some, long)
    assert_readable(figure)
    assert {"value 0", "value inf", "gradient nan"} <= set(words(figure))
    assert len(arrows(figure)) == 2
    figure = draw(nodes(n0="Const", **{f"n{index}": f"Neg n{index - 1}" for index in range(1, 60)}), MOMENTUM)
    assert_readable(figure)
    assert len(list(boxes(figure))) == 60
