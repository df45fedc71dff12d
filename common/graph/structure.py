"""What is what in a recipe's graph, and parts of it computed again from other numbers."""

import re
from typing import NamedTuple

import numpy as np

from common import tf1 as tf
from common.graph import numbers

CONTROL_FLOW = ("Switch", "Merge", "Enter", "Exit", "NextIteration", "RefSwitch", "RefMerge", "RefEnter")
# How operations begin that change a variable.
CHANGES = ("ResourceApply", "ResourceSparseApply", "ResourceScatter", "Apply", "SparseApply", "Scatter", "Assign")


class Unknown(Exception):
    """A graph lacks something, or cannot be computed otherwise than it is: a sentence without its full stop."""


class Parts(NamedTuple):
    """What a recipe's graph is made of."""

    x_data: object  # the placeholder of the sample
    y_target: object  # the placeholder of its target
    A: object  # the variable
    loss: object
    output: object  # of the model: the tensor called `prediction` or else `my_output`; None without such names


def placeholders(graph):
    """The tensors that a graph is fed."""
    return [op.outputs[0] for op in graph.get_operations() if op.type.startswith("Placeholder")]


def parts(graph):
    """The `Parts` of a recipe's graph, by their names (the last so called) or else in their order; raises `Unknown`."""
    variables, losses = (graph.get_collection(key) for key in (tf.GraphKeys.TRAINABLE_VARIABLES, tf.GraphKeys.LOSSES))
    tensors = [op.outputs[0] for op in graph.get_operations() if len(op.outputs) == 1]
    found = (_called("x_data", placeholders(graph), 0), _called("y_target", placeholders(graph), 1),
             _called("A", variables, 0), losses[-1] if losses else None)
    if any(each is None for each in found):
        raise Unknown("train() needs a placeholder for x, one for y, a variable and tf.losses.add_loss(loss)")
    output = _called("prediction", tensors)
    return Parts(*found, output if output is not None else _called("my_output", tensors))


def _called(name, candidates, otherwise=None):
    """The last of the candidates that is called so (TensorFlow may add a number), or one by its place, or None."""
    called = [each for each in candidates if re.fullmatch(rf"{name}(_\d+)?", each.op.name)]
    if called or otherwise is None:
        return called[-1] if called else None
    return candidates[otherwise] if len(candidates) > otherwise else None


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


def reads(tensors):
    """The tensors of variables' values that some tensors are computed from."""
    ops = ancestors([tensor.op for tensor in tensors])
    return [op.outputs[0] for op in ops
            if op.type == "ReadVariableOp" or (op.type == "Identity" and op.inputs[0].op.type == "VariableV2")]


def is_plain(tensor):
    """Whether copies of its operations give the same tensor: nothing random, printed or executed before."""
    found = reads([tensor])
    ends = {read.op for read in found}
    ops = ancestors([tensor.op], ends)
    return all(op.type == "ReadVariableOp" for op in ends) and not any(
        op.control_inputs or op.type in CONTROL_FLOW or (op.op_def.is_stateful and op not in ends) for op in ops)


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


def copy(wanted, replaced, double=False):
    """Compute tensors (or have operations) of a graph a second time, in the default graph; returns the copies.

    replaced  {tensor: the one that takes its place}
    double    in float64 instead of smaller floats

    Raises ValueError or TypeError where TensorFlow cannot do so.
    """
    graph = wanted[0].graph
    if graph is tf.get_default_graph():  # which is fed what it is fed
        replaced = {**{place: place for place in placeholders(graph)}, **replaced}
    ends = {tensor.op for tensor in replaced}
    ops = [op for op in ancestors([getattr(each, "op", each) for each in wanted], ends) if op not in ends]
    names, definition = {op.name for op in ops}, graph.as_graph_def()
    nodes = [node for node in definition.node if node.name in names]
    del definition.node[:]
    definition.node.extend(nodes)
    for node in definition.node:
        node.attr.pop("_class", None)  # of operations that are not copied
        node.input[:] = [source for source in node.input if not source.startswith("^") or source[1:] in names]
        node.op = "SelectV2" if node.op == "Select" else node.op  # which has no broadcasting
        if double:
            numbers.make_double(node)
    used = {tensor for op in ops for tensor in op.inputs}
    places = {old.name: new for old, new in replaced.items() if old in used}
    names = [each.name for each in wanted if each not in replaced]
    made = iter(tf.import_graph_def(definition, places, names, name="copy") if names else ())
    return [replaced[each] if each in replaced else next(made) for each in wanted]


def batch(tensor, values, double=False, fixed=None):
    """A tensor of one number for many values of what it is computed from: [n], each from its own values alone.

    values  {tensor of one number: its values [n]}
    fixed   {tensor: what takes its place for all n}

    Raises what `copy` raises, and ValueError where an operation has no form for many.
    """
    fixed = fixed or {}
    ends = {each.op for each in (*values, *fixed)}
    ops = [op for op in ancestors([tensor.op], ends, inputs=numbers.inputs) if op not in ends]
    if any(op.op_def.is_stateful for op in ops):
        raise ValueError("such an operation, as of random numbers, does not do the same each time")
    if all(map(numbers.is_one, ops)):
        return numbers.batch(tensor, ops, values, fixed, double)

    def one(given):
        places = {old: tf.reshape(number, [1] * old.shape.rank) for old, number in zip(values, given, strict=True)}
        return tf.reshape(copy([tensor], {**places, **fixed}, double)[0], [])

    return tf.vectorized_map(one, tuple(values.values()), fallback_to_while_loop=False)


def double(tensor):
    """The type of a tensor's copy in double precision."""
    return tf.float64 if tensor.dtype.is_floating else tensor.dtype.base_dtype
