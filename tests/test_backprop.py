"""Back propagation made visible: every number in the table, the picture and TensorBoard is the right one."""

import os
import re

import classification
import numpy as np
import pytest
import regression
from conftest import CHECKOUT, one_sentence, read_log, run

from common import backprop, data, drawing, graph_figure, optimizers
from common import tf1 as tf

f32 = np.float32
SCRIPTS = {"regression": regression, "classification": classification}
GRADIENT = {"regression": lambda x, y, A: 2 * (x * A - y) * x,
            "classification": lambda x, y, A: 1 / (1 + np.exp(-(x + A))) - y}


@pytest.fixture
def traced(tmp_path, monkeypatch, capsys):
    """Run a script with --trace in this process; returns its text, its log, and what was to be drawn."""
    def trace(recipe, *flags):
        drawn = {}

        class Drawing:
            def png(self, picture, **numbers):
                drawn[picture.__name__] = numbers
                return b"drawn"

        monkeypatch.setattr(drawing, "Drawing", Drawing)
        SCRIPTS[recipe].main(["--trace", "--output-dir", str(tmp_path), *map(str, flags)])
        return capsys.readouterr().out, read_log(tmp_path / f"{recipe}.csv"), drawn

    return trace


def tables(text):
    """The tables in a script's output: step -> node -> (operation, value, gradient, by hand, difference, rule)."""
    found = {}
    for table in re.split(r"^Back propagation in ", text, flags=re.M)[1:]:
        rows = re.findall(r"^(\S+) +([A-Z]\w+) +(\S+) +(\S+) +(\S+) +(\S+)\n    \[\S+\] = (.*)$", table, flags=re.M)
        found[int(table.split(",")[0].removeprefix("step #"))] = {
            name: (operation, *map(float, numbers), rule) for name, operation, *numbers, rule in rows}
    return found


def test_the_hand_worked_example_comes_out_as_on_paper(monkeypatch, traced):
    # x = 1, A = 2, target 10: output 2, loss 64, gradients -16 and -16, new A at rate 0.02: 2.32.
    monkeypatch.setattr(regression, "draw_samples", lambda rng: (np.ones(100), np.full(100, 10.0)))
    monkeypatch.setattr(data, "streams", lambda seed: data.Streams(None, Two(), np.random.default_rng(0)))
    text, _, _ = traced("regression", "--steps", 1)
    assert "\n".join(text.splitlines()[:-4]) == """\
Back propagation in step #1, with the values before it; [n] is the gradient at n:
node                operation          value     gradient      by hand   difference
x_data              Placeholder            1          -32          -32          -32
    [x_data] = A × [my_output]
A                   Variable               2          -16          -16          -16
    [A] = x_data × [my_output]
my_output           Mul                    2          -16          -16          -16
    [my_output] = [sub]
y_target            Placeholder           10           16           16           16
    [y_target] = -[sub]
sub                 Sub                   -8          -16          -16          -16
    [sub] = 2 × sub × [loss]
loss                Square                64            1            1            1
    [loss] = 1, where it starts
A - rate × gradient = 2.0 - 0.02 × (-16.0) = 2.32 = new A"""


class Two:
    """A stream whose every number is 2."""

    def normal(self, size):
        return np.full(size, 2.0)


@pytest.mark.parametrize("recipe", SCRIPTS)
def test_each_number_of_the_table_agrees_with_an_independent_calculation(recipe, traced):
    text, (_, x, y, A, _), _ = traced(recipe, "--steps", 60, "--report-every", 20)
    steps = tables(text)
    assert sorted(steps) == [1, 20, 40, 60]
    for step, nodes in steps.items():
        xi, yi, Ai = x[step - 1], y[step - 1], float(A[step - 1])
        output = xi * Ai if recipe == "regression" else xi + Ai
        assert nodes["x_data"][1] == pytest.approx(xi, rel=1e-5)
        assert nodes["y_target"][1] == pytest.approx(yi, rel=1e-5)
        assert nodes["A"][1] == pytest.approx(Ai, rel=1e-5)
        assert nodes["my_output"][1] == pytest.approx(output, rel=1e-5)
        last = list(nodes)[-1]
        expected = (output - yi) ** 2 if recipe == "regression" else np.logaddexp(0, output) - output * yi
        assert nodes[last][1] == pytest.approx(expected, rel=1e-4, abs=1e-7)
        by_hand = GRADIENT[recipe](xi, yi, Ai)
        operation, _, gradient, chain_rule, difference, _ = nodes["A"]
        assert operation == "Variable"
        assert gradient == pytest.approx(by_hand, rel=1e-5, abs=1.2e-7)  # float32
        assert chain_rule == pytest.approx(by_hand, rel=1e-5)
        assert difference == pytest.approx(by_hand, rel=1e-5, abs=1e-9)
        for name, (_, _, gradient, chain_rule, difference, _) in nodes.items():
            assert gradient == pytest.approx(chain_rule, rel=1e-5, abs=1.2e-7), name
            assert difference == pytest.approx(chain_rule, rel=1e-5, abs=1e-9), name


@pytest.mark.parametrize("recipe", SCRIPTS)
def test_the_rules_in_words_give_the_gradients_when_followed_with_a_pencil(recipe, traced):
    text, _, _ = traced(recipe, "--steps", 40, "--report-every", 20)
    for nodes in tables(text).values():
        for name, (*_, by_hand, _, rule) in nodes.items():
            words = rule.replace("×", "*").split(",")[0]
            numbers = {node: row[1] for node, row in nodes.items()}
            numbers |= {f"[{node}]": row[3] for node, row in nodes.items()}
            formula = re.sub(r"\[\w+\]|\b[A-Za-z]\w*", lambda match, numbers=numbers: f"({numbers[match[0]]!r})", words)
            result = eval(formula)
            assert result == pytest.approx(by_hand, rel=2e-5, abs=2e-5), name


@pytest.mark.parametrize("recipe", SCRIPTS)
@pytest.mark.parametrize("name", optimizers.OPTIMIZERS)
def test_the_update_is_arithmetic_that_closes_to_the_last_digit_shown(recipe, name, traced):
    text, (_, _, _, A, _), _ = traced(recipe, "--optimizer", name, "--steps", 40, "--report-every", 10, "--no-figure")
    updates = re.findall(r"^A - (.+?) = (.+) = (\S+) = new A$", text, flags=re.M)
    assert len(updates) == 5
    for step, (words, arithmetic, result) in zip((1, 10, 20, 30, 40), updates, strict=True):
        assert words == ("rate × gradient" if name.endswith("gradient-descent") else f"step of {name}")
        assert arithmetic.startswith(str(A[step - 1]))
        value = eval(arithmetic.replace("×", "*"))
        assert any(f"{value:.{digits}g}" == result == f"{A[step]:.{digits}g}" for digits in range(4, 10))
        assert float(result) == pytest.approx(float(A[step]), rel=1e-4)


@pytest.mark.parametrize("recipe", SCRIPTS)
def test_the_table_fits_100_columns(recipe, traced):
    text, _, _ = traced(recipe, "--optimizer", "proximal-gradient-descent", "--steps", 3)
    assert max(map(len, text.splitlines()[:-3])) <= 100


@pytest.mark.parametrize("recipe", SCRIPTS)
def test_the_picture_shows_the_numbers_of_the_table_of_its_step(recipe, traced):
    text, _, drawn = traced(recipe, "--steps", 30, "--trace-step", 7)
    table = tables(text)[7]
    nodes = drawn["graph"]["nodes"]
    assert "step #7" in drawn["graph"]["title"]
    assert [node["name"].rsplit("/", 1)[-1] for node in nodes] == list(table)
    for node in nodes:
        operation, value, gradient, *_ = table[node["name"].rsplit("/", 1)[-1]]
        assert node["operation"] == operation
        assert (f"{node['value']:.6g}", f"{node['gradient']:.6g}") == (f"{value:.6g}", f"{gradient:.6g}")


@pytest.mark.parametrize("recipe", SCRIPTS)
def test_no_box_or_link_of_the_picture_lies_on_another_box(recipe, traced):
    _, _, drawn = traced(recipe, "--steps", 1)
    nodes = drawn["graph"]["nodes"]
    places, links = graph_figure._layers(nodes)
    assert len(set(places.values())) == len(places)
    boxes = [places[node["name"]] for node in nodes]
    same_column = [abs(a[1] - b[1]) for a in boxes for b in boxes if a[0] == b[0] and a != b]
    assert min(same_column) > 0.5  # a box is 0.49 high
    for chain in links:
        columns = [places[stop][0] for stop in chain]
        assert columns == list(range(columns[0], columns[-1] + 1))  # through a free place in each
    assert graph_figure.graph(**drawn["graph"]).endswith(b"IEND\xaeB`\x82")


def test_every_operation_of_the_graphs_has_its_rule_and_no_rule_is_idle(traced):
    used = set()
    for recipe in SCRIPTS:
        _, _, drawn = traced(recipe, "--steps", 1)
        used |= {node["operation"] for node in drawn["graph"]["nodes"]}
    assert used - {"Placeholder", "Variable"} <= set(backprop.RULES)
    assert set(backprop.RULES) - used <= {"Select", "SelectV2"}  # one or the other, as TensorFlow's version has it


@pytest.mark.parametrize("recipe", SCRIPTS)
def test_tracing_changes_nothing_else(recipe, traced, tmp_path):
    text, _, _ = traced(recipe, "--steps", 50, "--tensorboard", tmp_path / "board")
    traced_log = (tmp_path / f"{recipe}.csv").read_bytes()
    SCRIPTS[recipe].main(["--steps", "50", "--no-figure", "--output-dir", str(tmp_path)])
    assert (tmp_path / f"{recipe}.csv").read_bytes() == traced_log
    assert "Back propagation" in text


@pytest.mark.parametrize("recipe", SCRIPTS)
def test_tensorboard_reads_every_step_the_samples_and_the_graph(recipe, tmp_path):
    folder = tmp_path / "board"
    SCRIPTS[recipe].main(["--steps", "30", "--no-figure", "--output-dir", str(tmp_path), "--tensorboard", str(folder)])
    _, x, y, A, loss = read_log(tmp_path / f"{recipe}.csv")
    file, = folder.iterdir()
    scalars, histogram, graph = {}, None, tf.GraphDef()
    for event in tf.train.summary_iterator(str(file)):
        graph.ParseFromString(event.graph_def) if event.graph_def else None
        for value in event.summary.value:
            if value.HasField("simple_value"):
                scalars.setdefault(value.tag, {})[event.step] = f32(value.simple_value)
            else:
                histogram = value
    steps = list(range(1, 31))
    assert [list(scalars[tag]) for tag in ("A", "loss", "gradient")] == [steps] * 3
    np.testing.assert_array_equal([scalars["A"][step] for step in steps], A[1:])
    np.testing.assert_array_equal([scalars["loss"][step] for step in steps], loss)
    gradients = GRADIENT[recipe](x, y, np.float64(A[:-1]))
    np.testing.assert_allclose([scalars["gradient"][step] for step in steps], gradients, rtol=1e-5, atol=1.2e-7)
    samples, _ = SCRIPTS[recipe].draw_samples(data.streams(18).samples)
    assert histogram.tag == "x_vals"
    assert histogram.histo.num == 100
    assert histogram.histo.sum == pytest.approx(samples.sum())
    assert {"x_data", "y_target", "A", "my_output"} <= {node.name.split("/")[0] for node in graph.node}


@pytest.mark.parametrize(("flags", "says"), [
    (["--trace", "--trace-step", "101"], "--trace-step must be one of the 100 steps, not 101"),
    (["--trace", "--trace-step", "0"], "--trace-step must be a whole number of at least 1"),
    (["--trace-step", "5"], "--trace-step goes with --trace"),
    (["--trace", "--runs", "3"], "--trace looks into one run: leave out --runs"),
    (["--tensorboard", "board", "--optimizer", "all"], "--tensorboard looks into one run"),
    (["--tensorboard", "FILE"], "--tensorboard must name a folder, but"),
])
def test_wrong_input_gets_one_sentence_and_status_2(flags, says, tmp_path):
    (tmp_path / "FILE").write_text("kept")
    done = run("regression", *flags, "--output-dir", tmp_path / "out", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert one_sentence(done.stderr)
    assert says in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["FILE"]


def test_an_unwritable_folder_for_tensorboard_gets_one_sentence_and_status_2(tmp_path):
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o555)
    folder = "/proc/locked" if os.access(locked, os.W_OK) else locked / "board"  # root may write anywhere but here
    done = run("regression", "--tensorboard", folder, "--output-dir", tmp_path)
    assert done.returncode == 2
    assert one_sentence(done.stderr)
    assert "--tensorboard must name a folder that can be written" in done.stderr
    assert CHECKOUT.exists()
