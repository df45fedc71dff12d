"""What one step of a script's training does, as far as it can be done for many runs at once."""

from common import tf1 as tf
from common.graph import structure

UPDATES = ("ResourceApply", "Assign")  # how the operations begin that change a variable


class Step:
    """What one execution of a script's training operation does; raises `structure.Unknown` where many runs cannot.

    order      its operations and those of the loss, each behind what TensorFlow executes before it
    variables  {operation that stands for a variable: its initial value, a tensor}
    own        the operations of the placeholders and variables that have another value in each run
    """

    def __init__(self, session):
        if len(session.steps) != 1:
            raise structure.Unknown("train() executes several training operations")
        (step,), parts = session.steps, session.parts
        self.order = structure.ancestors([getattr(step, "op", step), parts.loss.op], control=True)
        variables = session.graph.get_collection(tf.GraphKeys.GLOBAL_VARIABLES)
        self.variables = {each.op: each.initial_value for each in variables if each.op in self.order}
        self.own = {parts.x_data.op, parts.y_target.op, parts.A.op}
        self.own.update(op for op, initial in self.variables.items() if random(initial))
        for op in self.order:
            known = op.type in ("VarHandleOp", "ReadVariableOp") or op.type.startswith(UPDATES)
            if op.type in structure.CONTROL_FLOW or (op.op_def.is_stateful and not known):
                raise structure.Unknown(f"a step executes {op.type}, which is not known for many runs at once")
            if op.type.startswith("Placeholder") and op not in self.own:
                raise structure.Unknown(f"a step is fed {op.name} besides x and y")
        self._check_order(structure.ancestors([getattr(step, "op", step)], control=True))
        before = None
        while before != self.own:  # what depends on a run's own numbers is one of them
            before = set(self.own)
            for op in self.order:
                if op.type.startswith(UPDATES) and any(map(self.differs, op.inputs)):
                    self.own.update(tensor.op for tensor in op.inputs if tensor.dtype == tf.resource)

    def _check_order(self, ops):
        """See that TensorFlow executes all that reads or changes a variable before or behind each change of it."""
        before = {op: set(structure.ancestors([op], control=True)) for op in ops}
        for update in filter(lambda op: op.type.startswith(UPDATES), ops):
            for op in ops:
                same = op.type.startswith((*UPDATES, "ReadVariableOp")) and op.inputs[0].op is update.inputs[0].op
                if same and op not in before[update] and update not in before[op]:
                    raise structure.Unknown(f"a step leaves open whether {op.name} or {update.name} comes first")

    def differs(self, tensor):
        """Whether a tensor has another value in each run."""
        return not self.own.isdisjoint(structure.ancestors([tensor.op]))


def random(initial):
    """The operations that draw the random numbers of an initial value."""
    return [op for op in structure.ancestors([initial.op]) if op.op_def.is_stateful]
