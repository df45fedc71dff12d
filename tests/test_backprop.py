"""Back propagation made visible: every number in the table, the picture and TensorBoard is the right one."""

import contextlib
import functools
import io
import math
import os
import re

import numpy as np
import pytest
import regression
from conftest import SCRIPTS, one_sentence, read_log, run

from common import data
from common import tf1 as tf
from common.backprop import rules
from common.backprop.trace import Trace
from common.comparison import optimizers

f32 = np.float32
GRADIENT = {"regression": lambda x, y, A: 2 * (x * A - y) * x,
            "classification": lambda x, y, A: 1 / (1 + np.exp(-(x + A))) - y}


@pytest.fixture
def traced(tmp_path, capsys, drawn):
    """Run a script with --trace in this process; returns its text, its log, and what was to be drawn."""
    def trace(recipe, *flags):
        SCRIPTS[recipe].main(["--trace", "--output-dir", str(tmp_path), *map(str, flags)])
        return capsys.readouterr().out, read_log(tmp_path / f"{recipe}.csv"), drawn

    return trace


LONG = {"regression": (60, 20), "classification": (720, 40)}  # steps, and after how many of them a table


@pytest.fixture(scope="module")
def long_run(tmp_path_factory):
    """A traced run, the classification's on both sides of 0, once: recipe -> what it printed, and its log."""
    @functools.cache
    def run_once(recipe):
        folder = tmp_path_factory.mktemp("long")
        steps, every = LONG[recipe]
        words = ["--steps", str(steps), "--report-every", str(every), "--trace", "--no-figure"]
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            SCRIPTS[recipe].main([*words, "--output-dir", str(folder)])
        return printed.getvalue(), read_log(folder / f"{recipe}.csv")

    return run_once


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
    assert "\n".join(text.splitlines()[:17]) == """\
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
The optimizer remembers nothing.
  A' = A - rate × gradient
     = 2 - 0.02 × (-16) = 2.32"""


class Two:
    """A stream whose every number is 2."""

    def normal(self, size):
        return np.full(size, 2.0)


@pytest.mark.parametrize("recipe", SCRIPTS)
def test_each_number_of_the_table_agrees_with_an_independent_calculation(recipe, long_run):
    text, (_, x, y, A, _) = long_run(recipe)
    steps = tables(text)
    last, every = LONG[recipe]
    assert sorted(steps) == [1, *range(every, last + 1, every)]
    if recipe == "classification":  # on both sides of 0, where Select takes the one branch and the other
        z = [x[step - 1] + A[step - 1] for step in steps]
        assert min(z) < 0 < max(z)
        assert np.sum(np.less(z, 0)) >= 3
    for step, nodes in steps.items():
        xi, yi, Ai = float(x[step - 1]), float(y[step - 1]), float(A[step - 1])
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
def test_the_rules_in_words_give_the_gradients_when_followed_with_a_pencil(recipe, long_run):
    text, _ = long_run(recipe)
    for nodes in tables(text).values():
        for name, (*_, by_hand, _, rule) in nodes.items():
            words = rule.replace("×", "*").split(",")[0]
            numbers = {node: row[1] for node, row in nodes.items()}
            numbers |= {f"[{node}]": row[3] for node, row in nodes.items()}
            formula = re.sub(r"\[\w+\]|\b[A-Za-z]\w*", lambda match, numbers=numbers: f"({numbers[match[0]]!r})", words)
            result = eval(formula)
            assert result == pytest.approx(by_hand, rel=2e-5, abs=2e-5), name


def updates(text):
    """What follows each table: the remembered numbers {name: (before, after)}, and [(formula, filled, value)]."""
    found = []
    for kept, formulas in re.findall(r"^The optimizer remembers (.*)\.\n((?:  .*\n)*)", text, flags=re.M):
        remembered = {name: (float(before), float(after)) for name, before, after in
                      re.findall(r"(\w+) (\S+) before, (\S+) after", kept)}
        assert bool(remembered) == (kept != "nothing")
        lines = formulas.splitlines()
        found.append((remembered, [
            (formula.strip(), *re.fullmatch(r" +(= .*) = (.*)", filled).groups())
            for formula, filled in zip(lines[::2], lines[1::2], strict=True)]))
    return found


def value(formula):
    """What a formula comes to whose names are replaced by numbers."""
    code = re.sub(r"√(\(.*?\)|[-+.e0-9]+)", r"math.sqrt(\1)", formula).replace("²", "**2").replace("×", "*")
    return eval(code, {"math": math})


@pytest.fixture(scope="module")
def with_optimizer(tmp_path_factory):
    """40 traced steps of a script with an optimizer, run once: (recipe, name) -> what it printed, and the run."""
    folder = tmp_path_factory.mktemp("updates")

    @functools.cache
    def run_once(recipe, name):
        words = ["--optimizer", name, "--steps", "40", "--report-every", "10", "--trace", "--no-figure"]
        with contextlib.redirect_stdout(io.StringIO()) as printed, pytest.MonkeyPatch.context() as monkeypatch:
            monkeypatch.setattr(Trace, "_difference", lambda *arguments: None)  # of no interest here
            made = SCRIPTS[recipe].main([*words, "--output-dir", str(folder)])
        return printed.getvalue(), made

    return run_once


@pytest.mark.parametrize("recipe", SCRIPTS)
@pytest.mark.parametrize("name", optimizers.OPTIMIZERS)
def test_each_line_of_the_update_is_arithmetic_that_closes_to_the_last_digit_shown(recipe, name, with_optimizer):
    text, made = with_optimizer(recipe, name)
    found, A = updates(text), made.A
    assert len(found) == 5
    for step, (remembered, lines) in zip((1, 10, 20, 30, 40), found, strict=True):
        numbers = {key: before for key, (before, _) in remembered.items()}
        for formula, filled, result in lines:
            left, _ = formula.split(" = ")
            result, *in_float32 = result.split(", in TensorFlow's float32 ")
            digits = len(re.sub(r"^-?0?\.?0*|e.*|\.", "", result)) or 1
            assert float(result) == pytest.approx(value(filled.removeprefix("= ")), rel=0.51 * 10 ** (1 - digits))
            numbers[left] = float((in_float32 or [result])[0])
            _, kept = remembered.get(left.removesuffix("'"), (None, numbers[left]))
            assert numbers[left] == pytest.approx(kept, rel=0.51 * 10 ** (1 - digits))
            assert not in_float32, "a line is shown in the digits in which the calculation and TensorFlow agree"
            assert value(filled.removeprefix("= ")) == pytest.approx(kept, rel=2e-4, abs=1e-9)
        assert left == "A'"
        assert numbers["A'"] == pytest.approx(float(A[step]), rel=1e-4)


# What each optimizer remembers after gradients g, by the definitions of their papers; rate and the path of A where it
# needs them.
def running(weight, values, start=0.0):
    for each in values:
        start = weight * start + (1 - weight) * each
    return start


def velocity(g, *_):
    v = 0.0
    for each in g:
        v = 0.9 * v + each
    return {"velocity": v}


def adadelta(g, *_):
    squares = update = 0.0
    for each in g:
        squares = 0.95 * squares + 0.05 * each**2
        step = math.sqrt(update + 1e-8) / math.sqrt(squares + 1e-8) * each
        update = 0.95 * update + 0.05 * step**2
    return {"mean_square": squares, "mean_square_update": update}


def ftrl(g, rate, A):
    squares, linear = 0.1, 0.0
    for each, before in zip(g, A, strict=True):
        linear += each - (math.sqrt(squares + each**2) - math.sqrt(squares)) / rate * before
        squares += each**2
    return {"squares": squares, "linear": linear}


REMEMBERED = {
    "gradient-descent": lambda g, *_: {}, "proximal-gradient-descent": lambda g, *_: {},
    "momentum": velocity, "nesterov": velocity,
    "adagrad": lambda g, *_: {"squares": 0.1 + np.sum(g**2)},
    "proximal-adagrad": lambda g, *_: {"squares": 0.1 + np.sum(g**2)},
    "adagrad-da": lambda g, *_: {"sum": np.sum(g), "squares": 0.1 + np.sum(g**2)},
    "adadelta": adadelta, "ftrl": ftrl,
    "adam": lambda g, *_: {"m": running(0.9, g), "v": running(0.999, g**2)},
    "rmsprop": lambda g, rate, *_: {
        "mean_square": running(0.9, g**2, 1.0),
        "update": rate * g[-1] / math.sqrt(running(0.9, g**2, 1.0) + 1e-10) if len(g) else 0.0},
}


@pytest.mark.parametrize("recipe", SCRIPTS)
@pytest.mark.parametrize("name", optimizers.OPTIMIZERS)
def test_what_the_optimizer_remembers_is_what_its_definition_says(recipe, name, with_optimizer):
    text, made = with_optimizer(recipe, name)
    x, y, A = made.x, made.y, made.A
    rate = optimizers.rates(recipe, {"regression": 0.02, "classification": 0.05}[recipe])[name]
    g = GRADIENT[recipe](np.float64(x), np.float64(y), np.float64(A[:-1]))
    for step, (remembered, _) in zip((1, 10, 20, 30, 40), updates(text), strict=True):
        before, after = (REMEMBERED[name](g[:steps], rate, A[:steps].astype(np.float64)) for steps in (step - 1, step))
        assert set(remembered) == set(after)
        for key, pair in remembered.items():
            assert pair == pytest.approx((before[key], after[key]), rel=2e-4, abs=2e-6), (step, key)


@pytest.mark.parametrize("recipe", SCRIPTS)
def test_the_table_fits_100_columns(recipe, traced):
    for name in ("proximal-gradient-descent", "adadelta"):
        text, _, _ = traced(recipe, "--optimizer", name, "--steps", 3)
        tables = [line for line in text.splitlines() if not line.startswith(("In theory", "Wrote", "The optimizer"))]
        assert max(map(len, tables)) <= 100


@pytest.mark.parametrize("recipe", SCRIPTS)
def test_the_picture_shows_the_numbers_of_the_table_of_its_step(recipe, traced):
    text, _, drawn = traced(recipe, "--steps", 30, "--trace-step", 7)
    table = tables(text)[7]
    nodes = drawn["-graph.png"]["nodes"]
    assert "step 7 of" in drawn["-graph.png"]["title"]
    assert [node["name"].rsplit("/", 1)[-1] for node in nodes] == list(table)
    for node in nodes:
        operation, value, gradient, *_ = table[node["name"].rsplit("/", 1)[-1]]
        assert node["operation"] == operation
        assert (f"{node['value']:.6g}", f"{node['gradient']:.6g}") == (f"{value:.6g}", f"{gradient:.6g}")


def test_every_operation_of_the_graphs_has_its_rule_and_no_rule_is_idle(traced):
    used = set()
    for recipe in SCRIPTS:
        _, _, drawn = traced(recipe, "--steps", 1)
        used |= {node["operation"] for node in drawn["-graph.png"]["nodes"]}
    assert used - {"Placeholder", "Variable"} <= set(rules.RULES)
    assert set(rules.RULES) - used <= {"Select", "SelectV2"}  # one or the other, as TensorFlow's version has it


def test_a_run_that_diverges_before_the_traced_step_has_its_pictures_but_that_one(traced, tmp_path):
    flags = "--learning-rate", 5, "--steps", 100, "--trace-step", 90
    _, (steps, *_), drawn = traced("regression", *flags)
    assert len(steps) < 90
    assert set(drawn) == {".png"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["regression.csv", "regression.json", "regression.png"]


@pytest.mark.parametrize("step", [1, 2, 99, 100])
def test_the_traced_step_is_looked_into_with_or_without_a_report(step, traced, monkeypatch):
    monkeypatch.setattr(Trace, "_difference", lambda *arguments: None)  # of no interest here
    text, _, drawn = traced("regression", "--trace-step", step)
    looked_into = re.findall(r"^Back propagation in step #([0-9]+),", text, flags=re.M)
    assert sorted(map(int, looked_into)) == sorted({1, 25, 50, 75, 100, step})
    assert f"step {step} of" in drawn["-graph.png"]["title"]


def test_the_difference_is_right_however_large_the_numbers_are(traced):
    # A step in proportion to the number: with rate 5 A grows beyond 1e14.
    text, _, _ = traced("regression", "--learning-rate", 5, "--report-every", 5, "--no-figure")
    steps = tables(text)
    assert max(abs(nodes["A"][1]) for nodes in steps.values()) > 1e14
    for step, nodes in steps.items():
        for name, (_, _, gradient, _, difference, _) in nodes.items():
            assert difference == pytest.approx(gradient, rel=1e-4), (step, name)


@pytest.mark.parametrize("recipe", SCRIPTS)
def test_tracing_and_tensorboard_change_no_byte_of_the_log_and_no_number_of_the_picture(
        recipe, traced, drawn, tmp_path, capsys):
    text, _, _ = traced(recipe, "--steps", 50, "--report-every", 25, "--tensorboard", tmp_path / "board")
    traced_log, traced_picture = (tmp_path / f"{recipe}.csv").read_bytes(), drawn.pop(".png")
    SCRIPTS[recipe].main(["--steps", "50", "--report-every", "25", "--output-dir", str(tmp_path)])
    assert (tmp_path / f"{recipe}.csv").read_bytes() == traced_log
    assert traced_picture.keys() == drawn[".png"].keys()
    np.testing.assert_equal(drawn[".png"], traced_picture)
    assert "Back propagation" in text
    plain = capsys.readouterr().out.splitlines()
    assert sum(line.startswith("Step #") for line in plain) == 2
    assert [line for line in plain if not line.startswith("Wrote")] == [
        line for line in text.splitlines() if re.match("Step #|Loss =|Accuracy|In theory", line)]


@pytest.mark.parametrize("recipe", SCRIPTS)
def test_tensorboard_reads_every_step_the_samples_and_the_graph(recipe, tmp_path):
    folder = tmp_path / "board"
    SCRIPTS[recipe].main(["--steps", "30", "--no-figure", "--output-dir", str(tmp_path), "--tensorboard", str(folder)])
    _, x, y, A, loss = read_log(tmp_path / f"{recipe}.csv")
    file, = folder.iterdir()
    assert file.name.startswith("events.out.tfevents.")
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
def test_wrong_input_gets_one_sentence_and_status_2(flags, says, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "FILE").write_text("kept", encoding="ascii")
    with pytest.raises(SystemExit) as end:
        regression.main([*flags, "--output-dir", str(tmp_path / "out")])
    printed, errors = capsys.readouterr()
    assert (end.value.code, printed) == (2, "")
    assert one_sentence(errors)
    assert says in errors
    assert [path.name for path in tmp_path.iterdir()] == ["FILE"]


def test_an_unwritable_folder_for_tensorboard_gets_one_sentence_and_status_2(tmp_path):
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o555)
    folder = "/proc/locked" if os.access(locked, os.W_OK) else locked / "board"  # root may write anywhere but here
    done = run("regression", "--tensorboard", folder, "--output-dir", tmp_path)
    assert done.returncode == 2
    assert one_sentence(done.stderr)
    assert f"cannot write in the folder '{folder}'" in done.stderr
    assert "name another one with --tensorboard" in done.stderr
