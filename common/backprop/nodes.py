"""The nodes that a loss is computed from, each with its value and with its gradient, found in three ways."""

from collections import Counter

import numpy as np

from common import tf1 as tf
from common.backprop.update import computed
from common.graph import copies, structure

# What an operation with the inputs a and b and the value v passes on to each input of the gradient g that arrives at
# it; all are single numbers. None for an input that gets no gradient.
RULES = {
    "Mul": ("{b} × {g}", "{a} × {g}"), "AddV2": ("{g}", "{g}"), "Sub": ("{g}", "-{g}"), "Neg": ("-{g}",),
    "Square": ("2 × {a} × {g}",), "Exp": ("{v} × {g}",), "Log1p": ("{g} / (1 + {a})",), "ExpandDims": ("{g}", None),
    "Mean": ("{g}", None), "Sum": ("{g}", None),
}
NO_RULE = "no rule for an operation that it goes into: TensorFlow's gradient"
MOVE = 1e-5  # of a node's value, for the finite difference


class Nodes:
    """Copies of a script's operations in a graph of their own, so that nothing in the run happens a second time."""

    def __init__(self, loss, others, fed):
        """Copy what `loss` and `others`, {name: tensor}, are computed from where the tensors `fed` are fed.

        Raises `structure.Unknown` where that would not come to the same, and what TensorFlow raises where it cannot.
        """
        wanted = [*others.values(), loss]
        reads = {each: each.op.inputs[0].op for each in structure.reads(wanted)}
        sources = {**reads, **{each: each for each in fed}}
        tensors = _tensors(wanted, sources, set(reads.values()))
        with tf.Graph().as_default() as graph:
            self._places = {source: tf.placeholder(each.dtype.base_dtype, each.shape)  # one for all reads of a variable
                            for each, source in sources.items()}
            places = {each: self._places[source] for each, source in sources.items()}
            copied, exact = copies.copy(tensors, places), copies.copy(tensors, places, double=True)
            self._exact, copied = dict(zip(copied, exact, strict=True)), dict(zip(tensors, copied, strict=True))
            self._loss, self._others = copied[loss], {name: copied[each] for name, each in others.items()}
            floats = [each for each in self._exact if each.dtype.is_floating and each.op.type != "Const"]
            gradients = zip(floats, tf.gradients(self._loss, floats), strict=True)
            self._gradients = {each: tf.convert_to_tensor(one) for each, one in gradients if one is not None}
        self._session = tf.load().Session(graph=graph, config=tf.threads(-1))
        self._ops = {copied[each]: reads.get(each, each.op) for each in tensors}
        short = {each: op.name.rpartition("/")[2] for each, op in self._ops.items()}
        shared = Counter(short[each] for each in self._gradients)
        self._names = {each: self._ops[each].name if shared[name] > 1 else name for each, name in short.items()}

    def look(self, before):
        """The nodes with the values before a step, from the inputs to the loss, as dicts; and the values of `others`.

        name, operation, inputs (names), value, gradient (TensorFlow's), by_hand (from the chain rule; None without a
        rule), difference (the finite one, in double precision; None if it cannot tell), and the rule in words

        before  {what is fed, or the operation of a variable: its value}
        """
        feed = {place: before[source] for source, place in self._places.items()}
        values, gradients, exact, others = self._session.run(
            ({each: each for each in self._gradients}, self._gradients, self._exact, self._others), feed)
        numbers = {each: value.item() for each, value in exact.items() if value.size == 1}
        terms, found = {self._loss: [("1", "1, where it starts")]}, []
        for node in reversed(self._gradients):
            op, gradient, by_hand, rule = self._ops[node], gradients[node].item(), None, NO_RULE
            if None not in terms[node]:
                by_hand = computed(" + ".join(number for number, _ in terms[node]))
                rule = " + ".join(words for _, words in terms[node]).replace("+ -", "- ")
            for index, source in enumerate(node.op.inputs):
                term = self._term(node, index, gradient if by_hand is None else by_hand, numbers)
                terms.setdefault(source, []).insert(0, term)
            found.insert(0, {
                "name": self._names[node],
                "operation": "Variable" if op.type in ("VarHandleOp", "VariableV2") else op.type,
                "inputs": [self._names[each] for each in node.op.inputs if each in self._gradients],
                "value": values[node].item(), "gradient": gradient, "by_hand": by_hand,
                "difference": self._difference(self._exact[node], exact[node], feed), "rule": rule})
        return found, others

    def _term(self, node, index, gradient, values):
        """What a node passes on to one of its inputs of the gradient, in numbers and in words; None without a rule."""
        operation, names = node.op.type, dict(zip("vab", (node, *node.op.inputs), strict=False))
        rule = RULES[operation][index] if operation in RULES else None
        if operation in ("Select", "SelectV2"):  # to the second input where the first holds, or to the third
            rule = "{g}" if values[names["a"]] == (index == 1) else "0"
        numbers = {letter: values.get(each) for letter, each in names.items()}
        words = {letter: f"{values[each]:.6g}" if each.op.type == "Const" and each in values else self._names[each]
                 for letter, each in names.items()}
        return rule and (rule.format(g=gradient, **numbers), rule.format(g=f"[{self._names[node]}]", **words))

    def _difference(self, node, value, feed):
        """(loss(n + h) - loss(n - h)) / 2h for a node's value n; None where rounding leaves fewer than four digits."""
        loss, h = self._exact[self._loss], MOVE * (abs(value.item()) or 1)
        up, down = (self._session.run(loss, {**feed, node: value + move}).item() for move in (h, -h))
        found, rounding = (up - down) / (2 * h), 4 * np.spacing(max(abs(up), abs(down))) / h
        return found if rounding <= (1e-4 * abs(found) or 1e-9) else None


def _tensors(wanted, sources, variables):
    """All tensors that some are computed from `sources` with; raises `structure.Unknown` if copies would not do."""
    found, ends = [], {each.op for each in sources}
    for op in structure.ancestors([each.op for each in wanted], ends):
        if op not in ends and (op.op_def.is_stateful or not op.graph.is_fetchable(op)):
            raise structure.Unknown(f"{op.name} ({op.type}) cannot be executed apart from the step")
        found += op.outputs
    for op in structure.ancestors([each.op for each in sources], control=True):
        if op.type not in ("ReadVariableOp", "Identity") and variables & {each.op for each in op.inputs}:
            raise structure.Unknown(f"{op.name} ({op.type}) may change a variable in the step before it is read")
    return found
