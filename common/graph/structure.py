"""What is what in a recipe's graph, and parts of it computed again from other numbers."""

import re
from typing import NamedTuple

import numpy as np

from common import tf1 as tf

CONTROL_FLOW = ("Switch", "Merge", "Enter", "Exit", "NextIteration", "RefSwitch", "RefMerge", "RefEnter")
# How operations begin that change a variable.
CHANGES = ("ResourceApply", "ResourceSparseApply", "ResourceScatter", "Apply", "SparseApply", "Scatter", "Assign")
# And those that do something else when they are executed once more.
NOT_REPEATABLE = (*CHANGES, "EagerPyFunc", "Multinomial", "ParameterizedTruncated", "PyFunc", "Random", "Truncated")


class Unknown(Exception):
    """A graph lacks something, or cannot be computed otherwise than it is: a sentence without its full stop."""


class Parts(NamedTuple):
    """What a recipe's graph is made of."""

    x_data: object  # the placeholder of the sample
    y_target: object  # the placeholder of its target
    A: object  # the variable
    loss: object
    output: object  # of the model: the tensor called `prediction` or else `my_output`; None without such names


def parts(graph):
    """The `Parts` of a recipe's graph, by their names (the last so called) or else in their order; raises `Unknown`."""
    variables, losses = (graph.get_collection(key) for key in (tf.GraphKeys.TRAINABLE_VARIABLES, tf.GraphKeys.LOSSES))
    tensors = [op.outputs[0] for op in graph.get_operations() if len(op.outputs) == 1]
    fed = [tensor for tensor in tensors if tensor.op.type.startswith("Placeholder")]
    found = (_called("x_data", fed, fed[:1]), _called("y_target", fed, fed[1:2]),
             _called("A", variables, variables if len(variables) == 1 else []), losses[-1] if losses else None)
    if any(each is None for each in found):
        raise Unknown("train() needs a placeholder for x, one for y, a variable called A and tf.losses.add_loss(loss)")
    _see_that_it_is_minimized(found[-1], tensors)
    return Parts(*found, _called("prediction", tensors, [_called("my_output", tensors)]))


def _see_that_it_is_minimized(loss, tensors):
    """Raise `Unknown` if a gradient goes back to a loss and `A` together, as from a loss and its regularization."""
    names = " ".join(tensor.op.name for tensor in tensors)
    ops = [tensor.op for tensor in tensors if "gradients" not in tensor.op.name]
    onward = depending(ops, [loss.op])
    others = depending(ops, [read.op for read in reads(tensors)]) - onward
    for op in onward - {loss.op}:
        if not others.isdisjoint(tensor.op for tensor in op.inputs) and f"/{op.name}_grad/" in names:
            raise Unknown(f"tf.losses.add_loss() should be given what is minimized: its loss goes on into {op.name}")


def _called(name, candidates, otherwise=()):
    """The last of the candidates called so (TensorFlow may add a number), else the one in `otherwise`, or None."""
    called = [each for each in candidates if re.fullmatch(rf"{name}(_\d+)?", each.op.name)]
    return [None, *otherwise, *called][-1]


def ancestors(last, ends=(), control=False, inputs=lambda op: op.inputs):
    """The operations that those in `last` are computed from, each after its sources; `last` are among them.

    None beyond those in `ends`. With `control`, also what is only executed before them. `inputs(op)` tells the tensors
    that count as inputs.
    """
    order, seen, waiting = [], set(), [(op, False) for op in last]
    while waiting:
        op, complete = waiting.pop()
        if complete:
            order.append(op)
        elif op not in seen:
            seen.add(op)
            waiting.append((op, True))
            if op not in ends:
                waiting += [(tensor.op, False) for tensor in reversed(inputs(op))]
                waiting += [(source, False) for source in op.control_inputs if control]
    return order


def depending(ops, sources):
    """Those of `ops` that compute from what the operations in `sources` give, also by way of a variable; and these."""
    found, before = set(sources), 0
    while len(found) > before:
        before = len(found)
        for op in ops:
            if not found.isdisjoint(tensor.op for tensor in op.inputs):
                found.add(op)
                if op.type.startswith(CHANGES):
                    found.update(tensor.op for tensor in op.inputs if tensor.dtype == tf.resource)
    return found


def reads(tensors):
    """The tensors of variables' values that some tensors are computed from."""
    ops = ancestors([tensor.op for tensor in tensors])
    return [op.outputs[0] for op in ops
            if op.type == "ReadVariableOp" or (op.type == "Identity" and op.inputs[0].op.type == "VariableV2")]


def is_plain(tensor):
    """Whether copies of its operations give the same tensor: nothing random, printed or executed before."""
    ends = {read.op for read in reads([tensor])}
    return all(op.type == "ReadVariableOp" for op in ends) and not any(
        op.control_inputs or op.type in CONTROL_FLOW or (op.op_def.is_stateful and op not in ends)
        for op in ancestors([tensor.op], ends))


def not_repeatable(tensor):
    """An operation that a tensor is computed from and that draws a number or changes something; or None."""
    return next((op for op in ancestors([tensor.op], control=True) if op.type.startswith(NOT_REPEATABLE)), None)


def changes(step, variable=None):
    """The operations by which executing `step` (an operation or tensor) changes a variable, as ResourceApplyAdam."""
    return [op for op in ancestors([getattr(step, "op", step)], control=True)
            if op.type.startswith(CHANGES) and op.inputs and (variable is None or op.inputs[0].op is variable.op)]


def arguments(update):
    """What an update computes with, by the names of TensorFlow's own definition: {name: tensor}."""
    return {argument.name: tensor for argument, tensor in zip(update.op_def.input_arg, update.inputs, strict=True)}


def optimizer(steps, A):
    """The optimizer that moves `A` in `steps`, as --optimizer has it, and its rate, float32; None: not known."""
    updates = {op for step in steps for op in changes(step, A)}
    if len(updates) != 1 or "Apply" not in (update := updates.pop()).type:
        return None, None
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", update.type.split("Apply")[1]).lower()
    if name == "momentum" and update.get_attr("use_nesterov"):
        name = "nesterov"
    rate = tf.get_static_value(arguments(update).get("lr", arguments(update).get("alpha")))
    return name, None if rate is None else np.float32(rate)
