"""Steps of back propagation shown node by node: values going forward, gradients coming back, from the graph."""

import contextlib

import numpy as np

from common import tf1 as tf
from common.backprop.nodes import Nodes
from common.backprop.update import Update
from common.graph import structure
from common.log import Log

ROW = "{:<19} {:<11} {:>12} {:>12} {:>12} {:>12}"


class Trace:
    """Looks into steps of a run: the first one, `args.trace_step` and those that are reported.

    nodes    of step `args.trace_step`, once it was reached: what `Nodes.look` returns
    update   of `A` in that step: what `Update.look` returns
    unknown  why nothing is shown, or nothing more, which `output` says: a sentence without its full stop
    """

    def __init__(self, args, output):
        self.nodes, self.update, self.unknown = [], None, None
        self._args, self._output, self._known = args, output, {}

    def before(self, session, step, fetches, feed_dict):
        """Note what a step starts from."""
        self._start, args = None, self._args
        if not self.unknown and (step in (1, args.trace_step) or step % args.report_every == 0):
            with self._unless_unknown():
                self._start = fetches, feed_dict, _variables(session)

    def after(self, session, step):
        """Print the table of the step, and the update; nothing once the run has diverged."""
        if not self._start or not np.isfinite(Log.current.rows[-1:]).all():
            return
        (fetches, feed_dict, before), element, lines = self._start, session.graph.as_graph_element, []
        with self._unless_unknown():
            executed = [element(each) for each in tf.nest.flatten(fetches)]
            fed = {element(each): value for each, value in feed_dict.items()}
            kind = *executed, *fed
            if kind not in self._known:
                update = Update(executed, session.parts.A)
                self._known[kind] = Nodes(session.parts.loss, update.inputs, fed), update
            nodes, update = self._known[kind]
            found, inputs = nodes.look({**fed, **before})
            changed, lines = update.look(inputs, before, _variables(session))
            lines = [*_table(step, found), *lines]
            if step == self._args.trace_step:
                self.nodes, self.update = found, changed
        if lines:
            print(*lines, sep="\n")

    @contextlib.contextmanager
    def _unless_unknown(self):
        try:
            yield
        except structure.Unknown as error:
            self.unknown = str(error)
        except Exception:  # whatever TensorFlow says of what it cannot copy, or numpy of what is no single number
            self.unknown = "not each node and variable can be computed as a single number apart from the step"
        if self.unknown:
            self._output.failed(f"--trace shows no more: {self.unknown}")


def _variables(session):
    """{the operation of a global variable: its value}."""
    variables = session.graph.get_collection(tf.GraphKeys.GLOBAL_VARIABLES)
    return dict(zip([each.op for each in variables], session.run(variables), strict=True))


def _table(step, nodes):
    """The nodes of a step as lines of text, at most 100 characters wide if the names are short."""
    lines = [f"Back propagation in step #{step}, with the values before it; [n] is the gradient at n:",
             ROW.format("node", "operation", "value", "gradient", "by hand", "finite diff.")]
    for name, operation, _, *numbers, rule in (node.values() for node in nodes):
        texts = [missing if number is None else f"{number + 0:.6g}"
                 for number, missing in zip(numbers, ("", "", "no rule", "cannot tell"), strict=True)]
        lines += [ROW.format(name, operation, *texts), f"    [{name}] = {rule}"]
    return lines
