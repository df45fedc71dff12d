"""The nodes that a loss is computed from, each with its value and with its gradient, found in three ways."""

import contextlib

import numpy as np

from common import tf1 as tf
from common.backprop import rules
from common.graph import copies, structure

MAY_CHANGE = (*structure.CHANGES, "PartitionedCall", "StatefulPartitionedCall")  # how such operations begin
MOVES = np.array([1e-5, 1e-3, 1e-1])  # of a node's value, for the finite difference


class Nodes:
    """Copies of a script's operations in a graph of their own, so that nothing in the run happens a second time.

    variables  the operations of the variables whose values are needed
    """

    def __init__(self, loss, others, fed):
        """Copy what `loss` and the tensors `others` are computed from where the tensors `fed` are fed.

        Raises `structure.Unknown` where that cannot be done, or would not come to the same.
        """
        reads = {each: each.op.inputs[0].op for each in structure.reads([loss, *others]) if each not in fed}
        sources, self.variables = {**reads, **{each: each for each in fed}}, set(reads.values())
        ends = {each.op for each in sources}
        for op in structure.ancestors([each.op for each in (loss, *others)], ends):
            if op not in ends and (op.op_def.is_stateful or op.type in structure.CONTROL_FLOW):
                raise structure.Unknown(f"{op.name} ({op.type}) cannot be executed apart from the step")
        for op in structure.ancestors([each.op for each in reads], control=True):
            if op.type.startswith(MAY_CHANGE) and self.variables & {each.op for each in op.inputs}:
                raise structure.Unknown(f"{op.name} ({op.type}) may change a variable in the step before it is read")
        tensors = [each for op in structure.ancestors([loss.op], ends) for each in op.outputs]
        with _copied(), tf.Graph().as_default() as graph:
            self._places = {source: tf.placeholder(each.dtype.base_dtype, each.shape)  # one for all reads of a variable
                            for each, source in sources.items()}
            places = {each: self._places[source] for each, source in sources.items()}
            copied = copies.copy([*tensors, *others], places)
            self._loss, self._others = copied[tensors.index(loss)], copied[len(tensors):]
            wide = {place: tf.cast(place, copies.in_double(place)) for place in self._places.values()}
            exact = copies.copy(tensors, {each: wide[place] for each, place in places.items()}, double=True)
            self._exact = dict(zip(copied, exact, strict=False))
            floats = [each for each in self._exact if each.dtype.is_floating and each.op.type != "Const"]
            gradients = zip(floats, tf.gradients(self._loss, floats), strict=True)
            self._gradients = {each: tf.convert_to_tensor(one) for each, one in gradients if one is not None}
        self._session = tf.load().Session(graph=graph, config=tf.threads(-1))
        originals = dict(zip(copied, tensors, strict=False))
        self._types = {each: "Variable" if one in reads else one.op.type for each, one in originals.items()}
        full = {each: reads.get(one, one.op).name for each, one in originals.items()}
        last = [full[each].rsplit("/")[-1] for each in self._gradients]
        self._names = {each: name if last.count(name.rsplit("/")[-1]) > 1 else name.rsplit("/")[-1]
                       for each, name in full.items()}

    def _run(self, fetches, values, moved=None):
        """The values of copies, from {what is fed, or the operation of a variable: its value} and {copy: another}."""
        feed = {place: values[source] for source, place in self._places.items()}
        with _copied():
            return self._session.run(fetches, {**feed, **(moved or {})})

    def look(self, before):
        """The nodes with the values before a step, from the inputs to the loss, as dicts; and the values of `others`.

        name, operation, inputs (names), value, gradient (TensorFlow's), by_hand (from the chain rule; None without a
        rule), difference (the finite one, in double precision; None if it cannot tell), and the rule in words
        """
        values, exact, gradients, others = self._run(
            ({each: each for each in self._exact}, self._exact, self._gradients, self._others), before)
        known, found = {}, []
        for node in reversed(self._gradients):
            if values[node].size != 1:
                shape = values[node].shape
                raise structure.Unknown(f"{self._names[node]} has the shape {shape}: it is no single number")
            terms = [(1.0, "1, where it starts")] if node is self._loss else self._terms(node, known, exact)
            by_hand, words = None, "no rule for an operation that it goes into: TensorFlow's gradient"
            if None not in terms:
                by_hand, words = sum(number for number, _ in terms), " + ".join(text for _, text in terms)
            known[node] = gradients[node].item() if by_hand is None else by_hand
            found.append({
                "name": self._names[node], "operation": self._types[node],
                "inputs": [self._names[each] for each in node.op.inputs if each in self._gradients],
                "value": values[node].item(), "gradient": gradients[node].item(), "by_hand": by_hand,
                "difference": self._difference(node, before, exact[node]), "rule": words.replace("+ -", "- ")})
        return found[::-1], others

    def _terms(self, node, known, values):
        """What each user of a node passes on to it, as a number and in words; None for one without a rule."""
        terms = []
        for user in reversed(known):
            named = dict(zip("vab", (user, *user.op.inputs), strict=False))
            numbers = {"g": known[user], **{letter: values[each] for letter, each in named.items()}}
            texts = {"g": f"[{self._names[user]}]", **{letter: self._names[each] for letter, each in named.items()}}
            for index in (index for index, each in enumerate(user.op.inputs) if each is node):
                rule = rules.rule(user.op.type, index, numbers["a"])
                terms.append(rule and (rules.computed(rule, numbers).item(), rules.filled(rule, texts)))
        return terms

    def _difference(self, node, before, value):
        """(loss(n + h) - loss(n - h)) / 2h for a node's value n, with the first h that gives four digits, or None."""
        copy, loss = self._exact[node], self._exact[self._loss]
        for h in MOVES * (abs(value.item()) or 1):
            up, down, near_up, near_down = (
                self._run(loss, before, {copy: value + move}).item() for move in (h, -h, h / 2, -h / 2))
            found, rounding = (up - down) / (2 * h), np.spacing(max(abs(up), abs(down))) / h
            if abs(found - (near_up - near_down) / h) + 4 * rounding <= 1e-4 * abs(found):
                return found
        return 0.0 if found == 0 and rounding < 1e-9 else None


@contextlib.contextmanager
def _copied():
    try:
        yield
    except (TypeError, ValueError, LookupError, NotImplementedError, RuntimeError, tf.errors.OpError):
        raise structure.Unknown("the graph cannot be computed a second time") from None
