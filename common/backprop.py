"""One step of back propagation shown node by node: values going forward, gradients coming back, from the real graph."""

from typing import NamedTuple

import numpy as np

from common import board, figures
from common import tf1 as tf

# The chain rule by hand, one operation at a time: what an operation with the inputs a and b and the value v passes on
# to each input of the gradient g that arrives at it, in numbers and in words ({g}, {a}, {b}, {v} stand for the names).
RULES = {
    "Mul": ((lambda g, v, a, b: g * b, "{b} × {g}"), (lambda g, v, a, b: g * a, "{a} × {g}")),
    "AddV2": ((lambda g, v, a, b: g, "{g}"), (lambda g, v, a, b: g, "{g}")),
    "Sub": ((lambda g, v, a, b: g, "{g}"), (lambda g, v, a, b: -g, "-{g}")),
    "Square": ((lambda g, v, a: 2 * a * g, "2 × {a} × {g}"),),
    "Neg": ((lambda g, v, a: -g, "-{g}"),),
    "Exp": ((lambda g, v, a: v * g, "{v} × {g}"),),
    "Log1p": ((lambda g, v, a: g / (1 + a), "{g} / (1 + {a})"),),
    "ExpandDims": ((lambda g, v, a, b: g, "{g}"), None),
    "Identity": ((lambda g, v, a: g, "{g}"),),
    # Select passes the gradient to the input that it chose: the first where the condition holds.
    "Select": (None, (lambda g, v, c, a, b: g if c else 0 * g, "{first}"),
               (lambda g, v, c, a, b: 0 * g if c else g, "{second}")),
}
RULES["SelectV2"] = RULES["Select"]


class Node(NamedTuple):
    """A node of the graph in one step. The numbers are Python floats."""

    name: str
    operation: str
    inputs: tuple  # the names of the nodes it is computed from
    value: float
    gradient: float  # of the loss, as TensorFlow computed it
    by_hand: float  # the same from the chain rule
    difference: float  # the same from a central difference in double precision
    rule: str  # the chain rule in words; [n] is the gradient at the node n


class Step(NamedTuple):
    """One traced step: its number, its sample, `A` before and after it, and the nodes from the inputs to the loss."""

    number: int
    x: float
    y: float
    A: float
    A_after: float
    nodes: list


class Trace:
    """Looks into the steps of a run on the script's own graph.

    sess              the script's session
    graph             the recipe's function (x, y, A) -> output, loss
    x_data, y_target  the script's placeholders
    A, loss           its variable and the tensor that is minimized
    """

    def __init__(self, sess, graph, x_data, y_target, A, loss):
        self._sess, self._x, self._y = sess, x_data, y_target
        ops = _operations(loss.op)
        self._read = next(op for op in ops if op.type == "ReadVariableOp")
        self._names = {op: A.op.name if op is self._read else op.name for op in ops}
        gradients = tf.gradients(loss, [op.outputs[0] for op in ops], name="trace")
        self._gradients = {op: gradient for op, gradient in zip(ops, gradients, strict=True)
                           if gradient is not None and op.type != "Const"}
        self._values = {op: op.outputs[0] for op in self._gradients}

        # The same graph once more in double precision, where a node can be moved a little and the loss looked at.
        self._double = tf.Graph()
        with self._double.as_default():
            x, y, start = (tf.placeholder(tf.float64, [1], name=name)
                           for name in (x_data.op.name, y_target.op.name, A.op.name))
            self._double_loss = graph(x, y, start)[1]
        self._double_sess = tf.Session(graph=self._double, config=tf.one_thread())

    def step(self, log):
        """Look at the step that `log`, a `RunLog`, recorded last, with the values that it started from."""
        feed, placed = self._placed(log)
        values, gradients = self._sess.run([self._values, self._gradients], feed)
        exact = self._double_sess.run({op: f"{name}:0" for op, name in self._names.items()}, placed)
        by_hand, rules = self._chain_rule(exact)
        return Step(len(log.loss), log.x[-1], log.y[-1], log.A[-2], log.A[-1], [
            Node(self._names[op], "Variable" if op is self._read else op.type,
                 tuple(self._names[source] for source in _sources(op) if source in self._gradients),
                 values[op].item(), gradients[op].item(), by_hand[op].item(),
                 self._difference(f"{self._names[op]}:0", placed), rules[op]) for op in self._gradients])

    def gradient(self, log):
        """The gradient of the loss with respect to `A` in the step recorded last, as TensorFlow computed it."""
        return self._sess.run(self._gradients[self._read], self._placed(log)[0]).item()

    def _placed(self, log):
        """The values that the recorded step started from, to feed to the script's graph and to the double one."""
        x, y, A = [log.x[-1]], [log.y[-1]], [log.A[-2]]
        return ({self._x: x, self._y: y, self._read.outputs[0]: A},
                {f"{self._x.op.name}:0": x, f"{self._y.op.name}:0": y, f"{self._names[self._read]}:0": A})

    def _chain_rule(self, values):
        """The gradient at each node by `RULES`, from the loss backward: dicts of arrays and of words."""
        *before, loss = self._gradients
        gradients, words = {loss: np.ones(1)}, {loss: "1, where it starts"}
        for op in reversed(before):
            parts, terms = [], []
            for user in self._gradients:
                sources = _sources(user)
                for index in (index for index, source in enumerate(sources) if source is op):
                    rule, text = RULES[user.type][index]
                    inputs = [values[source].ravel() for source in sources]
                    parts.append(rule(gradients[user], values[user].ravel(), *inputs))
                    g = f"[{self._short(user)}]"
                    chosen = {"first": g, "second": "0"} if inputs[0].all() else {"first": "0", "second": g}
                    named = dict(zip("ab", map(self._short, sources), strict=False))
                    terms.append(text.format(g=g, v=self._short(user), **chosen, **named))
            gradients[op] = np.sum(parts, axis=0)
            words[op] = " + ".join(terms).replace("+ -", "- ")
        return gradients, words

    def _short(self, op):
        return self._names[op].rsplit("/", 1)[-1]

    def _difference(self, tensor, placed, h=1e-5):
        """(loss(n + h) - loss(n - h)) / 2h for the value n of the named tensor, in double precision."""
        value = self._double_sess.run(tensor, placed)
        up, down = (self._double_sess.run(self._double_loss, {**placed, tensor: value + move}) for move in (h, -h))
        return (up - down).item() / (2 * h)


def _sources(op):
    """The operations that `op` is computed from; a variable's read has none."""
    return [] if op.type == "ReadVariableOp" else [tensor.op for tensor in op.inputs]


def _operations(last):
    """All operations that `last` is computed from, itself last, each after its sources."""
    found = {}

    def visit(op):
        if op not in found:
            for source in _sources(op):
                visit(source)
            found[op] = True

    visit(last)
    return list(found)


def table(step, optimizer, rate):
    """The step as lines of text, at most 100 characters wide, for `optimizer` at the learning rate `rate`."""
    lines = [f"Back propagation in step #{step.number}, with the values before it; [n] is the gradient at n:",
             f"{'node':<20}{'operation':<12}{'value':>12}{'gradient':>13}{'by hand':>13}{'difference':>13}"]
    for node in step.nodes:
        numbers = "".join(f"{value:>13.6g}" for value in (node.gradient, node.by_hand, node.difference))
        short = node.name.rsplit("/", 1)[-1]
        lines.append(f"{short:<20}{node.operation:<12}{node.value:>12.6g}{numbers}")
        lines.append(f"    [{short}] = {node.rule}")
    if any(abs(node.gradient - node.by_hand) > 1e-4 * abs(node.by_hand) for node in step.nodes):
        lines.append("(float32 rounds sums of numbers near 1 by up to 6e-08; it shows in gradients as small as these)")
    return "\n".join([*lines, update(step, optimizer, rate)])


def update(step, optimizer, rate):
    """How `A` moved, as arithmetic that closes to the last digit shown."""
    A = np.float32(step.A)
    if optimizer.endswith("gradient-descent"):
        gradient = np.float32(step.nodes[[node.operation for node in step.nodes].index("Variable")].gradient)
        words, left = "A - rate × gradient", f"{A!s} - {rate} × {_in_brackets(gradient)}"
        result = float(str(A)) - rate * float(str(gradient))
    else:
        taken = f"{float(str(A)) - float(str(np.float32(step.A_after))):.12g}"
        words, left = f"A - step of {optimizer}", f"{A!s} - {_in_brackets(taken)}"
        result = float(str(A)) - float(taken)
    for digits in range(9, 0, -1):  # float32 rounds the product and the difference, so not all digits agree
        if f"{result:.{digits}g}" == f"{step.A_after:.{digits}g}":
            return f"{words} = {left} = {step.A_after:.{digits}g} = new A"
    return f"{words} = {left}, new A = {np.float32(step.A_after)!s}"  # lost in rounding, as beside a huge A


def _in_brackets(number):
    return f"({number!s})" if str(number).startswith("-") else str(number)


class Watch:
    """Follows a run for --trace and --tensorboard: call it with the log after each step, inside its own context.

    `args` is what `options.parse` returned, `x_vals` the samples; the others are as for `Trace`.
    """

    def __init__(self, args, x_vals, sess, graph, x_data, y_target, A, loss):
        self._args, self._trace = args, Trace(sess, graph, x_data, y_target, A, loss)
        self._board = board.Board(args.tensorboard, sess.graph, x_vals) if args.tensorboard else None
        self.drawn = None  # the `Step` of --trace-step

    def __call__(self, log):
        step, args = len(log.loss), self._args
        if args.trace and (step in (1, args.trace_step) or step % args.report_every == 0):
            traced = self._trace.step(log)
            print(table(traced, args.optimizer, args.learning_rate))
            if step == args.trace_step:
                self.drawn = traced
        if self._board:
            self._board.add(step, A=log.A[-1], loss=log.loss[-1], gradient=self._trace.gradient(log))

    def picture(self, drawing):
        """The traced step as a PNG, drawn by `drawing`, a `figures.Drawing`; None if the run did not get there."""
        if not self.drawn:
            return None
        title = f"{self._args.name.capitalize()}: step #{self.drawn.number} of back propagation"
        return drawing.png(figures.graph, title=title, nodes=[node._asdict() for node in self.drawn.nodes])

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self._board:
            self._board.close()
