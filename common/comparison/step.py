"""What one step of a script's training computes with, and what of it differs from run to run."""

import contextlib

from common import tf1 as tf
from common.graph import structure


class Step:
    """One execution of a script's training operation; raises `structure.Unknown` where there are several.

    operation  the training operation
    parts      of the graph
    variables  {operation that stands for a variable: its initial value, a tensor}
    own        the operations whose numbers differ from run to run
    """

    def __init__(self, session):
        if len(session.steps) != 1:
            raise structure.Unknown("train() executes several training operations")
        (self.operation,), self.parts = session.steps, session.parts
        last = [getattr(self.operation, "op", self.operation), self.parts.loss.op]
        ops = structure.ancestors(last, control=True)
        variables = session.graph.get_collection(tf.GraphKeys.GLOBAL_VARIABLES)
        self.variables = {each.op: each.initial_value for each in variables if each.op in ops}
        drawn = [op for op, initial in self.variables.items() if random(initial)]
        self.own = structure.depending(ops, [*(each.op for each in self.parts[:3]), *drawn])


def random(initial):
    """The operations that draw the random numbers of an initial value."""
    return [op for op in structure.ancestors([initial.op]) if op.op_def.is_stateful]


@contextlib.contextmanager
def refusals():
    """Raise `structure.Unknown` where TensorFlow refuses to compute the block's graph for many runs."""
    try:
        yield
    except (ValueError, TypeError, LookupError, NotImplementedError, tf.errors.OpError):
        raise structure.Unknown("a step of train() cannot be computed for many runs at once") from None
