"""One step of back propagation shown node by node: values going forward, gradients coming back, from the real graph."""

import math
from typing import NamedTuple

import numpy as np

from common import graphs
from common import tf1 as tf
from common.backprop import rules
from common.backprop.memory import Memory

MOVES = 10.0 ** -np.arange(1, 8)  # of a node's value, for the finite difference


class Node(NamedTuple):
    """A node of the graph in one step. The numbers are Python floats, None where there is none."""

    name: str
    operation: str
    inputs: tuple  # the names of the nodes it is computed from
    value: float
    gradient: float  # of the loss, as TensorFlow computed it
    by_hand: float  # the same from the chain rule, or None where an operation on the way has no rule
    difference: float  # the same from a central difference in double precision, or None where that cannot tell
    rule: str  # the chain rule in words; [n] is the gradient at the node n


class Trace:
    """Looks into steps of a run, on its own graph: the first one, `args.trace_step` and those that are reported.

    step   the number of the step to draw, once it was reached
    nodes  its nodes, from the inputs to the loss
    """

    def __init__(self, args):
        self._args, self.step, self.nodes, self._ready = args, None, [], False

    def before(self, run, step):
        """Note what the step starts from: the values of the variables, and what the optimizer remembers."""
        args = self._args
        self._looking = step in (1, args.trace_step) or step % args.report_every == 0
        if self._looking:
            if not self._ready:
                self._prepare(run)
            self._started = run.session.run(self._reads)
            self._remembered = self._memory.read(run.session)

    def after(self, run, step):
        """Print the table of the step."""
        if not self._looking:
            return
        run.drain()
        x, y = (np.reshape(number, tensor.shape) for number, tensor in zip(
            run.last[:2], (run.x_data, run.y_target), strict=True))
        nodes, gradient = self._look(run, x, y)
        print("\n".join([*table(step, nodes), *self._memory.lines(
            self._remembered, self._memory.read(run.session), gradient)]))
        if step == self._args.trace_step:
            self.step, self.nodes = step, nodes

    def drained(self, run, rows):
        """Nothing to do for rows of the log."""

    def picture(self, title, made_by):
        """What the picture of the traced step shows."""
        return {"title": f"{title}: step {self.step:,} of back propagation", "made_by": made_by,
                "nodes": [node._asdict() for node in self.nodes]}

    def _prepare(self, run):
        """Add to the graph the gradients at all nodes, and make the graph a second time in double precision."""
        loss, self._reads = run.minimized, [op.outputs[0] for op in graphs.reads(run.minimized.op)]
        self._memory = Memory(run.update, run.variable)
        first = {read.op.inputs[0].ref(): read for read in reversed(self._reads)}
        self._same = {read.op: first[read.op.inputs[0].ref()].op for read in self._reads}  # one node for each variable
        ops = [op for op in graphs.operations(loss.op) if op.outputs[0].dtype.is_floating and op.type != "Const"]
        shaped = next((op for op in ops if op.outputs[0].shape.num_elements() != 1), None)
        if shaped is not None:
            raise SystemExit(f"--trace shows graphs of single numbers, but {shaped.name} has the shape "
                             f"{shaped.outputs[0].shape}.")
        parts = {}
        for op, part in zip(ops, tf.gradients(loss, [op.outputs[0] for op in ops], name="trace"), strict=True):
            if part is not None:
                parts.setdefault(self._same.get(op, op), []).append(part)
        self._gradients = {op: tf.add_n(each) if len(each) > 1 else each[0] for op, each in parts.items()}
        self._names = {op: op.inputs[0].op.name if op.type == "ReadVariableOp" else op.name
                       for op in graphs.operations(loss.op)}
        with tf.Graph().as_default() as double:
            inputs = [run.x_data, run.y_target, *self._reads]
            places = {op: tf.placeholder(tf.float64, op.outputs[0].shape)
                      for op in {self._same.get(tensor.op, tensor.op): None for tensor in inputs}}
            self._places = [places[self._same.get(tensor.op, tensor.op)] for tensor in inputs]
            graphs.copy(loss, dict(zip(inputs, self._places, strict=True)), "", double=True)
        placed = dict(zip((tensor.op for tensor in inputs), self._places, strict=True))
        self._exact = {op: placed[op] if op in placed else double.get_tensor_by_name(f"{op.name}:0")
                       for op in graphs.operations(loss.op)}
        self._double = tf.Session(graph=double, config=tf.threads(-1, rewritten=False))
        self._ready = True

    def _look(self, run, x, y):
        """The nodes of the step that was fed with x and y, at the values that it started from, and the gradient that
        the optimizer was given."""
        feed = dict(zip([run.x_data, run.y_target, *self._reads], [x, y, *self._started], strict=True))
        given = [tensor for tensor in [self._memory.gradient] if tensor is not None]
        values, gradients, given = run.session.run(
            [{op: op.outputs[0] for op in self._gradients}, self._gradients, given], feed)
        placed = dict(zip(self._places, [x, y, *self._started], strict=True))
        exact = {op: value.item() for op, value in self._double.run(self._exact, placed).items() if value.size == 1}
        by_hand, words = self._chain_rule(exact, gradients)
        nodes = [Node(
            self._names[op], "Variable" if op.outputs[0] in self._reads else op.type,
            tuple(self._names[source] for source in self._sources(op) if source in self._gradients),
            values[op].item(), gradients[op].item(), by_hand[op],
            self._difference(self._exact[run.minimized.op], self._exact[op], placed, exact[op]), words[op])
            for op in self._gradients]
        return nodes, given[0].item() if given else math.nan

    def _chain_rule(self, values, gradients):
        """The gradient at each node by hand, from the loss backward: dicts of numbers (or None) and of words."""
        nodes = {op: self._sources(op) for op in self._gradients}
        *before, loss = nodes
        known, words = {loss: 1.0}, {loss: "1, where it starts"}
        by_hand = dict(known)
        for op in reversed(before):
            found = rules.terms(nodes, known, values, op, self._short)
            by_hand[op] = None if found is None else sum(number for number, _ in found)
            # Where a rule is missing, the chain goes on from TensorFlow's own gradient.
            known[op] = gradients[op].item() if found is None else by_hand[op]
            words[op] = "no rule for an operation that it goes into: TensorFlow's gradient" if found is None else (
                " + ".join(text for _, text in found).replace("+ -", "- "))
        return by_hand, words

    def _sources(self, op):
        return [self._same.get(source, source) for source in graphs.sources(op)]

    def _short(self, op):
        return self._names[op].rsplit("/", 1)[-1]

    def _difference(self, loss, tensor, placed, value):
        """(loss(n + h) - loss(n - h)) / 2h for the value n of the tensor, in double precision.

        Of several h, in proportion to n, it takes the one with which the quotient changes least to the next; None if
        that leaves fewer than four digits.
        """
        quotients, rounded = [], []
        for h in MOVES * (abs(value) or 1):
            up, down = (self._double.run(loss, {**placed, tensor: np.full(tensor.shape, moved)}).item()
                        for moved in (value + h, value - h))
            quotients.append((up - down) / (2 * h))
            rounded.append(np.spacing(max(abs(up), abs(down))) / h)  # what the last bits of the two losses can do
        if not any(quotients):
            return 0.0 if min(rounded) < 1e-9 else None
        with np.errstate(all="ignore"):
            changes = np.abs(np.diff(quotients)) + rounded[1:]
        if not np.isfinite(changes).any():
            return None
        best = np.nanargmin(changes)
        return quotients[best + 1] if changes[best] <= 5e-5 * abs(quotients[best + 1]) + 1e-300 else None


def table(step, nodes):
    """The nodes of a step as lines of text, at most 100 characters wide."""
    lines = [f"Back propagation in step #{step}, with the values before it; [n] is the gradient at n:",
             f"{'node':<20}{'operation':<12}{'value':>12}{'gradient':>13}{'by hand':>13}{'difference':>13}"]
    for node in nodes:
        by_hand = "no rule" if node.by_hand is None else f"{node.by_hand + 0:.6g}"
        difference = "cannot tell" if node.difference is None else f"{node.difference + 0:.6g}"
        short = node.name.rsplit("/", 1)[-1]
        lines += [f"{short:<20}{node.operation:<12}{node.value + 0:>12.6g}{node.gradient + 0:>13.6g}{by_hand:>13}"
                  f"{difference:>13}", f"    [{short}] = {node.rule}"]
    if any(node.by_hand is not None and abs(node.gradient - node.by_hand) > 1e-4 * abs(node.by_hand) for node in nodes):
        lines.append("(float32 rounds sums of numbers near 1 by up to 6e-08; it shows in gradients as small as these)")
    return lines
