"""What can be asked of a recipe's own graph: what it is computed from, and to compute it again from other numbers."""

import re

import numpy as np

from common import tf1 as tf


def operations(last, ends=()):
    """All operations that `last` is computed from, itself last, each after its sources; none beyond those in `ends`."""
    found = {}

    def visit(op):
        if op not in found:
            for source in sources(op, ends):
                visit(source)
            found[op] = True

    visit(last)
    return list(found)


def sources(op, ends=()):
    """The operations that `op` is computed from; a variable's read has none."""
    return [] if op in ends or op.type == "ReadVariableOp" else [tensor.op for tensor in op.inputs]


def reads(last):
    """The operations among those that `last` is computed from that read the value of a variable."""
    return [op for op in operations(last) if op.type == "ReadVariableOp"]


def updates(train_step, variable):
    """The operations by which the training step (an operation or tensor) moves the variable, as `ResourceApplyAdam`."""
    found, waiting = {}, [getattr(train_step, "op", train_step)]
    while waiting:
        op = waiting.pop()
        if op not in found:
            found[op] = True
            waiting += [*op.control_inputs, *(tensor.op for tensor in op.inputs)]
    return [op for op in found if op.type.startswith("ResourceApply") and op.inputs[0].op is variable.handle.op]


def inputs(update):
    """What an update computes with, by the names of TensorFlow's own definition: {name: tensor}."""
    return {argument.name: tensor for argument, tensor in zip(update.op_def.input_arg, update.inputs, strict=True)}


def learning_rate(update):
    """The learning rate of an update, if it is a constant of the graph: float32, else None."""
    names = inputs(update)
    value = tf.get_static_value(names.get("lr", names.get("alpha")))
    return None if value is None else np.float32(value)


def optimizer_name(update):
    """The name of the optimizer that makes such updates, as --optimizer has it: momentum for ResourceApplyMomentum."""
    if update.type == "ResourceApplyMomentum" and update.get_attr("use_nesterov"):
        return "nesterov"
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", update.type.removeprefix("ResourceApply")).lower()


def copy(loss, inputs, name, double=False):
    """Compute `loss` a second time, in the default graph: with other tensors for some that it is computed from.

    inputs  {tensor: the one that takes its place}
    name    a scope for the copied operations, or "" for the names that they have
    double  in float64 instead of float32

    Returns the copy of `loss`.
    """
    inside = {op.name for op in operations(loss.op, {tensor.op for tensor in inputs})}
    inside -= {tensor.op.name for tensor in inputs}
    definition = tf.GraphDef(versions=loss.graph.as_graph_def().versions)
    for node in loss.graph.as_graph_def().node:
        if node.name in inside:
            definition.node.add().CopyFrom(_doubled(node) if double else node)
    places = {tensor.name: other for tensor, other in inputs.items()}
    return tf.import_graph_def(definition, places, [loss.name], name=name)[0]


def _doubled(node):
    """The definition of an operation with float64 wherever it has float32."""
    for attribute in node.attr.values():
        if attribute.type == tf.float32.as_datatype_enum:
            attribute.type = tf.float64.as_datatype_enum
        if attribute.tensor.dtype == tf.float32.as_datatype_enum:
            attribute.tensor.CopyFrom(tf.make_tensor_proto(tf.make_ndarray(attribute.tensor), tf.float64))
    return node
