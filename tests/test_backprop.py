"""Back propagation made visible: every number in the table, the update and TensorBoard is the right one, or not there.

What is expected comes from numpy in double precision: closed forms, and the definitions of the optimizers' papers.
"""

import math
import re

import numpy as np
import pytest
import regression
from conftest import SCRIPTS, one_sentence, read_log
from test_changed_lines import OPTIMIZER, OUTPUT, SQUARE, STEP, VARIABLE, edited
from test_statements import check_rule

from common import tf1 as tf
from common.backprop.nodes import RULES, Nodes
from common.comparison import optimizers

pytestmark = pytest.mark.usefixtures("unoptimized")
GRADIENT = {"regression": lambda x, y, A: 2 * (x * A - y) * x,
            "classification": lambda x, y, A: 1 / (1 + np.exp(-(x + A))) - y}
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
        row = r"^(\S+) +([A-Z]\w+) +(\S+) +(\S+) +(no rule|\S+) +(cannot tell|\S+)\n    \[\S+\] = (.*)$"
        step = int(table.split(",")[0].removeprefix("step #"))
        assert step not in found
        for name, operation, *numbers, rule in re.findall(row, table, re.M):
            assert name not in found.setdefault(step, {})
            found[step][name] = operation, *map(number, numbers), rule
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


def start(log, step):
    """x, y and `A` that a step starts from."""
    return [float(column[step - 1]) for column in (log.x, log.y, log.A)]


def value(formula):
    """What the right side of a formula in numbers comes to."""
    code = re.sub(r"√(\(.*?\)|[-+.e0-9]+)", r"math.sqrt(\1)", formula[2:]).replace("²", "**2").replace("×", "*")
    return eval(code, {"math": math})


def last_digit(text):
    """Half of the last digit of a number as text, relative to it, at most."""
    return 0.51 * 10.0 ** (1 - (len(re.sub(r"^-?0?\.?0*|e.*|\.", "", text)) or 1))


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
        x, y, A = start(log, step)
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
        assert {row[0] for row in nodes.values()} - {"Placeholder", "Variable"} <= {*RULES, "Select", "SelectV2"}
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
def test_an_update_is_arithmetic_that_closes_on_what_the_definitions_say(recipe, name, traced, monkeypatch):
    monkeypatch.setattr(Nodes, "_difference", lambda *arguments: None)  # of no interest here, and slow
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
            assert float(result) == pytest.approx(value(right), rel=last_digit(result))
            known = {"A'": float(log.A[step]), **{f"{key}'": now for key, now in after.items()}}
            assert float(result) == pytest.approx(known.get(left, float(result)), rel=2e-4, abs=2e-6)
        assert formulas[-1][0] == "A'"
    if recipe == "regression":
        check_rule(name, "The optimizer remembers" + text.split("The optimizer remembers")[1])
    assert max(len(line) for line in text.splitlines() if not line.startswith(("In theory", "Wrote", "The "))) <= 100


def test_the_difference_is_right_however_large_the_numbers_are(traced):
    text, _, _ = traced(regression, "--learning-rate", 5, "--steps", 20, "--report-every", 5)
    found = tables(text)
    assert max(abs(nodes["A"][1]) for nodes in found.values()) > 1e14
    for step, nodes in found.items():
        for name, (_, _, gradient, _, difference, _) in nodes.items():
            lost = name == "y_target" and difference is None  # beside 1e30, what 10 adds is below the last digit
            assert lost or difference == pytest.approx(gradient, rel=1e-4), (step, name)


@pytest.mark.parametrize("step", [1, 7, 10])
def test_the_picture_is_given_the_nodes_and_the_update_of_its_step(step, traced):
    flags = "--optimizer", "momentum", "--steps", 10, "--report-every", 5, "--trace-step", step
    text, _, log = traced(regression, *flags)
    assert list(tables(text)) == sorted({1, 5, 10, step})
    nodes = {node["name"]: node for node in log.watcher.nodes}
    assert list(nodes) == list(tables(text)[step])
    for name, shown in tables(text)[step].items():
        assert (nodes[name]["operation"], nodes[name]["rule"]) == (shown[0], shown[-1])
        numbers = [nodes[name][key] for key in ("value", "gradient", "by_hand", "difference")]
        assert numbers == pytest.approx(shown[1:-1], rel=1e-5), name
    assert nodes["my_output"]["inputs"] == ["x_data", "A"]
    update = log.watcher.update
    assert (update["optimizer"], update["rate"]) == ("momentum", pytest.approx(0.005))
    assert update["A"] == pytest.approx(tuple(log.A[step - 1:step + 1]), rel=1e-7)
    (_, after), = update["remembers"].values()
    assert update["A"][1] == pytest.approx(update["A"][0] - 0.005 * after)
    assert [line.split(" = ")[0] for line in update["lines"]] == ["velocity'", "A'"]
    assert update["lines"][1].startswith("A' = ")


def test_a_run_that_diverges_before_the_traced_step_gives_the_picture_nothing(traced):
    text, errors, log = traced(regression, "--learning-rate", 5, "--trace-step", 90)
    assert log.watcher.nodes == []
    assert "diverged" in errors
    assert "nan" not in text.split("Step")[0]
    assert len(tables(text)) < 5


def with_optimizer(text):
    return {OPTIMIZER: f"tf.train.{text}"}


ADAM = with_optimizer("AdamOptimizer(0.1, beta1=0.5, epsilon=0.1)")
Y, FETCH = "y_target = tf.placeholder(shape=[1], dtype=tf.", STEP.removesuffix("})")
# Changed lines that are shown: {old: new}.
SHOWN = {
    "two executions a round": {STEP: f"{STEP}\n        {STEP}"},
    "a rate that is fed": {**with_optimizer("GradientDescentOptimizer(tf.placeholder(tf.float32, [], 'rate'))"),
                           FETCH: f"{FETCH}, 'rate:0': 0.1 / (i + 1)"},
    "a rate that decays": {**with_optimizer("GradientDescentOptimizer(tf.train.exponential_decay(\n"
                                            "        0.05, tf.train.get_or_create_global_step(), 2, 0.5))"),
                           MINIMIZE: "train_step = my_opt.minimize(loss, tf.train.get_global_step())"},
    "two optimizers in turn": {MINIMIZE: f"{MINIMIZE}\n    other = tf.train.AdamOptimizer(0.1).minimize(loss)",
                               STEP: f"{STEP}\n        {STEP.replace('train_step', 'other')}"},
    "Adam's own settings": ADAM,
    "a finalized graph": {"sess.run(init)": "sess.run(init); sess.graph.finalize()"},
    "use_resource=False": {VARIABLE: VARIABLE[:-1] + ", use_resource=False)", **ADAM},
    "a constant": {OUTPUT: "0.5 * tf.multiply(2. * x_data, A)"},
    "A[0]": {OUTPUT: "tf.multiply(x_data, A[0])"},
    "two nodes of one name": {OUTPUT: "tf.multiply(x_data, tf.subtract(A, 0., name='a/sub'))"},
    "float16": {"tf.float32": "tf.float16", "shape=[1], seed": "shape=[1], dtype=tf.float16, seed"},
    "integer labels": {f"{Y}float32": f"{Y}int32", "my_output - y_target": "my_output - tf.cast(y_target, tf.float32)"},
    "any batch": {"shape=[1], dtype": "shape=[None], dtype"},
    "tf.losses": {SQUARE: "tf.losses.mean_squared_error(y_target, my_output)", "    tf.losses.add_loss(loss)": "    #"},
    "printed and asserted": {f"my_output = {OUTPUT}": "with tf.control_dependencies([tf.print('once'), "
                             f"tf.assert_less(x_data, 100.)]):\n        my_output = {OUTPUT}"},
    "one by one": {"shape=[1]": "shape=[1, 1]", "tf.multiply": "tf.matmul",
                   "[x_vals[rand_index]]": "[[x_vals[rand_index]]]", "[y_vals[rand_index]]": "[[y_vals[rand_index]]]"},
    "an unused placeholder": {"my_output - y_target": "my_output - 10."},
}
# Changed lines whose update no formula describes, and what is said of it.
UPDATES = [
    ({VARIABLE: VARIABLE[:-1] + ", constraint=lambda v: tf.minimum(v, 0.3))"},
     "ResourceApplyGradientDescent and AssignVariableOp"),
    (with_optimizer("FtrlOptimizer(0.1, learning_rate_power=-1.)"), "ResourceApplyFtrl"),
    (with_optimizer("ProximalAdagradOptimizer(2., l1_regularization_strength=0.1)"), "ResourceApplyProximalAdagrad"),
    (with_optimizer("RMSPropOptimizer(0.1, centered=True)"), "ResourceApplyCenteredRMSProp"),
    ({MINIMIZE: "train_step = A.assign_sub(0.02 * tf.gradients(loss, A)[0])"}, "AssignSubVariableOp"),
    ({MINIMIZE: "train_step = tf.group(my_opt.minimize(loss), A.assign_add([0.1]))"},
     "AssignAddVariableOp and ResourceApplyGradientDescent"),
]
# Changed lines that are not shown, and why.
APART, MOVED = "cannot be executed apart from the step", "may change a variable in the step before it is read"
LEFT_OUT = [
    (with_optimizer("GradientDescentOptimizer(tf.random_uniform([], seed=3))"), f"(RandomUniform) {APART}"),
    ({OUTPUT: f"tf.Print({OUTPUT}, [A])"}, f"(Print) {APART}"),
    ({OUTPUT: "tf.multiply(x_data, tf.gather(A, [0]))"}, f"A (VarHandleOp) {APART}"),
    ({OUTPUT: "tf.function(lambda a, b: a * b)(x_data, A)"}, f"A (VarHandleOp) {APART}"),
    ({OUTPUT: "tf.cond(x_data[0] > 0, lambda: x_data * A, lambda: x_data)"}, APART),
    ({OUTPUT: "tf.while_loop(lambda i, a: i < 1, lambda i, a: (i + 1, a * x_data), (0, tf.identity(A)))[1]"}, APART),
    ({OUTPUT: "tf.reduce_sum(tf.tile(x_data * A, [3]) / 3., keepdims=True)"}, "as a single number"),
    ({f"my_output = {OUTPUT}": "with tf.control_dependencies([tf.function(lambda: A.assign_add([0.1]))()]):\n"
      "        my_output = tf.multiply(x_data, A.read_value())"}, MOVED),
]


def both(replace, tmp_path, capfd):
    """A changed script's 6 steps, traced: its text, errors and log; all else is as without the trace, bit for bit."""
    script, flags = edited("regression", replace, tmp_path), ["--steps", "6", "--report-every", "2", "--no-figure"]
    script.main([*flags, "--output-dir", str(tmp_path)])
    plain, file = capfd.readouterr(), (tmp_path / "mine.csv").read_bytes()
    log = script.main([*flags, "--output-dir", str(tmp_path), "--trace"])
    text, errors = capfd.readouterr()
    assert (tmp_path / "mine.csv").read_bytes() == file
    lines, others = plain.out.splitlines(), plain.err.splitlines(keepends=True)
    assert [line for line in text.splitlines() if line in lines] == lines  # what the script prints, it prints once
    assert [line for line in errors.splitlines(keepends=True) if line in others] == others
    return text, "".join(line for line in errors.splitlines(keepends=True) if line not in others), log


@pytest.mark.parametrize(("replace", "says"), [*((each, None) for each in SHOWN.values()), *UPDATES],
                         ids=[*SHOWN, *(says for _, says in UPDATES)])
def test_a_changed_line_is_traced_rightly_and_changes_nothing(replace, says, tmp_path, capfd):
    text, errors, log = both(replace, tmp_path, capfd)
    found, near, steps = tables(text), 2e-3 if replace is SHOWN["float16"] else 1e-5, [1, *range(2, len(log) + 1, 2)]
    assert (errors, list(found)) == ("", steps)
    assert (" = 0.5 × [" in text) == (replace is SHOWN["a constant"])
    for step, nodes in found.items():
        x, y, A = start(log, step)
        value_of_A, gradient, by_hand, difference = nodes["A"][1:5]
        assert value_of_A == pytest.approx(A, rel=near)
        assert [gradient, difference, by_hand or difference] == pytest.approx([2 * (x * A - y) * x] * 3, rel=near)
    if says is None:
        for step, (_, formulas) in zip(steps, updates(text), strict=True):
            left, right, result = formulas[-1]
            assert (left, float(result)) == ("A'", pytest.approx(value(right), rel=last_digit(result)))
            assert float(result) == pytest.approx(float(log.A[step]), rel=last_digit(result))
    else:  # an update that no formula describes is shown by its result
        moves = re.findall(rf"^No formula here describes this {says}: A = (\S+) before, (\S+) after\.$", text, re.M)
        assert np.float32(moves).tolist() == [log.A[step - 1:step + 1].tolist() for step in steps]
        assert ("A' =" not in text, log.watcher.update) == (True, None)


@pytest.mark.parametrize(("replace", "says"), LEFT_OUT)
def test_what_cannot_be_traced_rightly_is_left_out_with_one_sentence(replace, says, tmp_path, capfd):
    text, errors, log = both(replace, tmp_path, capfd)
    assert "Back propagation" not in text
    assert one_sentence(errors)
    assert "--trace shows no more: " in errors
    assert says in errors
    assert (log.watcher.nodes, log.status) == ([], 1)


def test_a_clipped_gradient_is_the_one_in_the_update_and_every_variable_is_a_node(tmp_path, traced):
    script = edited("regression", {
        VARIABLE: f"{VARIABLE}\n    b = tf.Variable([0.5], name='b')", OUTPUT: "tf.add(x_data * A + 0.1 * A * A, b)",
        MINIMIZE: "(dA, _), (db, _) = my_opt.compute_gradients(loss)\n    train_step = my_opt.apply_gradients([\n"
                  "        (tf.clip_by_norm(dA, 1.), A), (db, b)])"}, tmp_path)
    text, _, log = traced(script, "--steps", 2, "--report-every", 2)
    b = 0.5
    for step, nodes in tables(text).items():
        x, y, A = start(log, step)
        distance = x * A + 0.1 * A * A + b - y
        assert nodes["A"][2:5] == pytest.approx([2 * distance * (x + 0.2 * A)] * 3, rel=1e-5)
        assert nodes["b"][1:5] == pytest.approx([b, *[2 * distance] * 3], rel=1e-5)
        b -= 0.02 * 2 * distance
    assert [value(formulas[-1][1]) for _, formulas in updates(text)] == pytest.approx(log.A[1:], rel=1e-6)
    assert np.diff(log.A) == pytest.approx([0.02] * 2, rel=1e-4)


@pytest.mark.parametrize("recipe", SCRIPTS)
def test_tensorboard_reads_every_step_the_samples_and_the_graph_of_each_run(recipe, tmp_path, capsys):
    words = ["--steps", "30", "--no-figure", "--output-dir", str(tmp_path), "--tensorboard", str(tmp_path / "board")]
    for number in (1, 2):
        log = SCRIPTS[recipe].main(words)
        assert log.files[-1] == tmp_path / "board" / f"{recipe}-{number}" / "events.out.tfevents"
        assert list(log.files[-1].parent.iterdir()) == [log.files[-1]]
    scalars, histogram, graph = {}, None, tf.GraphDef()
    for event in tf.train.summary_iterator(str(log.files[-1])):
        graph.ParseFromString(event.graph_def) if event.graph_def else None
        for each in event.summary.value:
            if each.HasField("simple_value"):
                scalars.setdefault(each.tag, {})[event.step] = np.float32(each.simple_value)
            else:
                histogram = each
    _, x, y, A, loss = read_log(tmp_path / f"{recipe}.csv")
    assert [list(scalars[tag]) for tag in ("A", "loss", "gradient")] == [list(range(1, 31))] * 3
    np.testing.assert_array_equal(list(scalars["A"].values()), A[1:])
    np.testing.assert_array_equal(list(scalars["loss"].values()), loss)
    gradients = GRADIENT[recipe](x, y, np.float64(A[:-1]))
    np.testing.assert_allclose(list(scalars["gradient"].values()), gradients, rtol=1e-5, atol=1.2e-7)
    np.random.seed(605)
    samples, _ = SCRIPTS[recipe].draw_samples()
    assert (histogram.tag, histogram.histo.num) == ("x_vals", 100)
    assert histogram.histo.sum == pytest.approx(samples.sum())
    assert {"x_data", "y_target", "A", "my_output"} <= {node.name.split("/")[0] for node in graph.node}


def test_tensorboard_gets_no_gradient_that_is_not_known_and_a_fault_leaves_nothing(tmp_path, capsys, monkeypatch):
    words = ["--steps", "5", "--no-figure", "--output-dir", str(tmp_path), "--tensorboard", str(tmp_path / "board")]
    two = {VARIABLE: f"{VARIABLE}\n    b = tf.Variable([0.5])", OUTPUT: "tf.add(x_data * A, b)"}
    for replace in (two, {OUTPUT: "tf.multiply(x_data, tf.gather(A, [0]))"}):
        log = edited("regression", replace, tmp_path).main(words)
        events = tf.train.summary_iterator(str(log.files[-1]))
        assert {each.tag for event in events for each in event.summary.value} - {"x_vals"} == {"A", "loss"}
        assert one_sentence(capsys.readouterr().err)

    def full(self, event):
        raise tf.errors.ResourceExhaustedError(None, None, "No space left on device")

    monkeypatch.setattr(tf.python_io.TFRecordWriter, "write", full)
    log = regression.main(words)
    assert one_sentence(errors := capsys.readouterr().err)
    assert "cannot write for TensorBoard in" in errors
    assert "No space left on device" in errors
    assert log.files == [tmp_path / "regression.csv", tmp_path / "regression.json"]
    assert sorted(path.name for path in (tmp_path / "board").iterdir()) == ["mine-1", "mine-2"]
