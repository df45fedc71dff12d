"""Steps of back propagation shown node by node: values going forward, gradients coming back, from the graph."""

import numpy as np

from common import tf1 as tf
from common.backprop.memory import Memory
from common.backprop.nodes import Nodes
from common.graph import structure
from common.log import Log


class Trace:
    """Looks into steps of a run: the first one, `args.trace_step` and those that are reported.

    nodes    of step `args.trace_step`, once it was reached: what `Nodes.look` returns
    update   of `A` in that step: what `Memory.look` returns
    unknown  why nothing is shown, or nothing more: a sentence without its full stop
    """

    def __init__(self, args):
        self.nodes, self.update, self.unknown, self._args, self._known = [], None, None, args, {}

    def before(self, session, step, fetches, feed_dict):
        """Note what a step starts from: what it is fed, and the values of the variables."""
        self._looks, args, element = None, self._args, session.graph.as_graph_element
        if self.unknown or not (step in (1, args.trace_step) or step % args.report_every == 0):
            return
        self._fed = {element(each): value for each, value in feed_dict.items()}
        executed = [element(each) for each in tf.nest.flatten(fetches)]
        kind = *executed, *self._fed
        try:
            if kind not in self._known:
                memory = Memory(executed, session.parts.A)
                self._known[kind] = Nodes(session.parts.loss, memory.inputs.values(), self._fed), memory
            self._looks = self._known[kind]
            self._before = self._values(session)
        except structure.Unknown as error:
            self.unknown = str(error)

    def _values(self, session):
        """What a step computes from: {what is fed: its value, the operation of a variable: its value now}."""
        nodes, memory = self._looks
        keys = tf.GraphKeys.GLOBAL_VARIABLES, tf.GraphKeys.LOCAL_VARIABLES
        known = {each.op: each for key in keys for each in session.graph.get_collection(key)}
        needed = nodes.variables | set(memory.variables.values())
        if not needed <= known.keys():
            raise structure.Unknown("a variable is in none of the graph's collections")
        return {**self._fed, **dict(zip(needed, session.run([known[op] for op in needed]), strict=True))}

    def after(self, session, step):
        """Print the table of the step, and the update; nothing once the run has diverged."""
        if not self._looks or self.unknown or not np.isfinite(Log.current.rows[-1:]).all():
            return
        nodes, memory = self._looks
        after = self._values(session)
        try:
            found, inputs = nodes.look(self._before)
        except structure.Unknown as error:
            self.unknown = str(error)
            return
        update, lines = memory.look(inputs, self._before, after)
        print(*_table(step, found), *lines, sep="\n")
        if step == self._args.trace_step:
            self.nodes, self.update = found, update


def _table(step, nodes):
    """The nodes of a step as lines of text, at most 100 characters wide if the names are short."""
    lines = [f"Back propagation in step #{step}, with the values before it; [n] is the gradient at n:",
             f"{'node':<20}{'operation':<12}{'value':>12}{'gradient':>13}{'by hand':>13}{'finite diff.':>13}"]
    for name, operation, _, *numbers, rule in (node.values() for node in nodes):
        texts = [f"{each + 0:.6g}" if each is not None else missing
                 for each, missing in zip(numbers, ("", "", "no rule", "cannot tell"), strict=True)]
        lines += [f"{name:<19} {operation:<11} {texts[0]:>12} {texts[1]:>12} {texts[2]:>12} {texts[3]:>12}",
                  f"    [{name}] = {rule}"]
    pairs = [(node["gradient"], node["by_hand"]) for node in nodes if node["by_hand"] is not None]
    if any(1e-4 * abs(by_hand) < abs(gradient - by_hand) < 1e-6 for gradient, by_hand in pairs):
        lines.append("(float32 rounds sums of numbers near 1 by up to 6e-08; it shows in gradients as small as these)")
    return lines
