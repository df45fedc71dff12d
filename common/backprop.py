"""One step of back propagation shown node by node: values going forward, gradients coming back, from the real graph."""

from typing import NamedTuple

import numpy as np

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
