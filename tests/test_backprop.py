"""Back propagation made visible: every number in the table, the update and TensorBoard is the right one, or not there.

What is expected comes from numpy in double precision: closed forms, and the definitions of the optimizers' papers.
"""

import functools
import math
import os
import re

import numpy as np
import pytest
import regression
from conftest import SCRIPTS, one_sentence, read_log, run
from test_changed_lines import OPTIMIZER, OUTPUT, SQUARE, STEP, VARIABLE, edited

from common import tf1 as tf
from common.backprop import rules
from common.comparison import optimizers

GRADIENT = {"regression": lambda x, y, A: 2 * (x * A - y) * x,
            "classification": lambda x, y, A: 1 / (1 + np.exp(-(x + A))) - y}
EPSILON = {np.float16: 1e-3, np.float32: 1.2e-7, np.float64: 2.3e-16}
MINIMIZE = "train_step = my_opt.minimize(loss)"


@pytest.fixture
def traced(tmp_path, capsys):
    """Run a script in this process; returns what it printed and said, and the `Log`."""
    def trace(script, *flags):
        log = script.main(["--trace", "--no-figure", "--output-dir", str(tmp_path), *map(str, flags)])
        return *capsys.readouterr(), log

    return trace


def tables(text):
    """The tables in a script's output: step -> node -> (operation, value, gradient, by hand, difference, rule)."""
    found = {}
    for table in re.split(r"^Back propagation in ", text, flags=re.M)[1:]:
        rows = re.findall(r"^(\S+) +([A-Z]\w+) +(\S+) +(\S+) +(no rule|\S+) +(cannot tell|\S+)\n    \[\S+\] = (.*)$", table, re.M)
        step = int(table.split(",")[0].removeprefix("step #"))
        assert step not in found
        found[step] = {name: (operation, *map(number, numbers), rule) for name, operation, *numbers, rule in rows}
    return found


def number(text):
    return None if text in ("no rule", "cannot tell") else float(text)


def updates(text):
    """What follows each table: the remembered numbers {name: (before, after)}, and [(name, right side, result)]."""
    found = []
    for kept, lines in re.findall(r"^The optimizer remembers (.*)\.\n((?:  .*\n)*)", text, flags=re.M):
        remembered = re.findall(r"(\w+) (\S+) before, (\S+) after", kept)
        formulas = re.findall(r"^  (\S+) = .*\n +(= .*) = (.*)$", lines, flags=re.M)
        assert len(formulas) == lines.count("\n") / 2
        found.append(({name: (float(was), float(now)) for name, was, now in remembered}, formulas))
    return found


def value(formula):
    """What a formula comes to whose names are replaced by numbers."""
    code = re.sub(r"√(\(.*?\)|[-+.e0-9]+)", r"math.sqrt(\1)", formula).replace("²", "**2").replace("×", "*")
    return eval(code, {"math": math})


def test_the_hand_worked_example_comes_out_as_on_paper(tmp_path, traced):
    # x = 1, A = 2, target 10: output 2, loss 64, gradients -16 and -16, new A at rate 0.02: 2.32.
    script = edited("regression", {"np.random.normal(1, 0.1, 100)": "np.ones(100)",
                                   "tf.random_normal(shape=[1], seed=seed)": "[2.]"}, tmp_path)
    text, _, _ = traced(script, "--steps", 1)
    assert "\n".join(text.splitlines()[:17]) == """\
Back propagation in step #1, with the values before it; [n] is the gradient at n:
node                operation          value     gradient      by hand finite diff.
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


@pytest.mark.parametrize(("recipe", "steps", "every"), [("regression", 60, 20), ("classification", 720, 60)])
def test_each_number_of_the_table_agrees_with_an_independent_calculation(recipe, steps, every, traced):
    text, _, log = traced(SCRIPTS[recipe], "--steps", steps, "--report-every", every)
    found = tables(text)
    assert list(found) == [1, *range(every, steps + 1, every)]
    outputs = []
    for step, nodes in found.items():
        x, y, A = (float(column[step - 1]) for column in (log.x, log.y, log.A))
        output = x * A if recipe == "regression" else x + A
        outputs.append(output)
        loss = (output - y) ** 2 if recipe == "regression" else np.logaddexp(0, output) - output * y
        expected = {"x_data": x, "y_target": y, "A": A, "my_output": output, list(nodes)[-1]: loss}
        for name, number in expected.items():
            assert nodes[name][1] == pytest.approx(number, rel=1e-4, abs=1e-7), name
        assert nodes["A"][0] == "Variable"
        by_hand = GRADIENT[recipe](x, y, A)
        assert nodes["A"][2:5] == pytest.approx([by_hand] * 3, rel=1e-5, abs=1.2e-7)
        assert nodes["A"][3:5] == pytest.approx([by_hand] * 2, rel=1e-5, abs=1e-9)  # in double precision
        for name, (_, _, gradient, chain_rule, difference, rule) in nodes.items():
            assert (gradient, difference) == pytest.approx((chain_rule, chain_rule), rel=1e-5, abs=1.2e-7), name
            numbers = {node: row[1] for node, row in nodes.items()}
            numbers |= {f"[{node}]": row[3] for node, row in nodes.items()}
            words = rule.replace("×", "*").split(",")[0]
            words = re.sub(r"\[\w+\]|\b[A-Za-z]\w*", lambda each, numbers=numbers: f"({numbers[each[0]]!r})", words)
            assert eval(words) == pytest.approx(chain_rule, rel=2e-5, abs=2e-5), rule
        assert {row[0] for row in nodes.values()} - {"Placeholder", "Variable"} <= {*rules.RULES, "Select", "SelectV2"}
    if recipe == "classification":  # on both sides of 0, where Select takes the one branch and the other
        assert min(outputs) < 0 < max(outputs)


# What each optimizer remembers after gradients g, by the definitions of their papers.
def running(weight, values, start=0.0):
    for each in values:
        start = weight * start + (1 - weight) * each
    return start


def velocity(g, *_):
    return {"velocity": sum(0.9 ** (len(g) - 1 - index) * each for index, each in enumerate(g))}


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


def rmsprop(g, rate, *_):
    mean = running(0.9, g**2, 1.0)
    return {"mean_square": mean, "update": rate * g[-1] / math.sqrt(mean + 1e-10) if len(g) else 0.0}


REMEMBERED = {
    "gradient-descent": lambda g, *_: {}, "proximal-gradient-descent": lambda g, *_: {},
    "momentum": velocity, "nesterov": velocity, "adadelta": adadelta, "ftrl": ftrl, "rmsprop": rmsprop,
    "adagrad": lambda g, *_: {"squares": 0.1 + np.sum(g**2)},
    "proximal-adagrad": lambda g, *_: {"squares": 0.1 + np.sum(g**2)},
    "adagrad-da": lambda g, *_: {"sum": np.sum(g), "squares": 0.1 + np.sum(g**2)},
    "adam": lambda g, *_: {"m": running(0.9, g), "v": running(0.999, g**2)},
}


@pytest.mark.parametrize("recipe", SCRIPTS)
@pytest.mark.parametrize("name", optimizers.OPTIMIZERS)
def test_an_update_is_arithmetic_that_closes_on_what_the_definitions_say(recipe, name, traced):
    text, errors, log = traced(SCRIPTS[recipe], "--optimizer", name, "--steps", 40, "--report-every", 20)
    rate = log.watcher.update["rate"]
    g = GRADIENT[recipe](*(np.float64(each) for each in (log.x, log.y, log.A[:-1])))
    found = updates(text)
    assert (len(found), errors) == (3, "")
    for step, (remembered, formulas) in zip((1, 20, 40), found, strict=True):
        before, after = (REMEMBERED[name](g[:steps], rate, log.A[:steps]) for steps in (step - 1, step))
        assert {key: pair[0] for key, pair in remembered.items()} == pytest.approx(before, rel=2e-4, abs=2e-6)
        assert {key: pair[1] for key, pair in remembered.items()} == pytest.approx(after, rel=2e-4, abs=2e-6)
        for left, right, result in formulas:
            digits = len(re.sub(r"^-?0?\.?0*|e.*|\.", "", result)) or 1
            near = {"rel": 0.51 * 10 ** (1 - digits)}
            assert float(result) == pytest.approx(value(right.removeprefix("= ")), **near)
            known = {"A'": float(log.A[step]), **{f"{key}'": now for key, now in after.items()}}
            assert float(result) == pytest.approx(known.get(left, float(result)), rel=2e-4, abs=2e-6)
        assert formulas[-1][0] == "A'"
    assert max(len(line) for line in text.splitlines() if not line.startswith(("In theory", "Wrote", "The "))) <= 100
