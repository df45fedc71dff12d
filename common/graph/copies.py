"""Parts of a recipe's graph computed once more: from other numbers, in double precision, for many values at once."""

from common import tf1 as tf
from common.graph import numbers, structure


def copy(wanted, replaced, double=False):
    """Compute tensors (or have operations) of a graph a second time, in the default graph; returns the copies.

    replaced  {tensor: the one that takes its place}
    double    in float64 instead of smaller floats

    Raises ValueError or TypeError where TensorFlow cannot do so.
    """
    graph = wanted[0].graph
    if graph is tf.get_default_graph():  # which is fed what it is fed
        replaced = {**{place: place for place in structure.placeholders(graph)}, **replaced}
    ends = {tensor.op for tensor in replaced}
    ops = [op for op in structure.ancestors([getattr(each, "op", each) for each in wanted], ends) if op not in ends]
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
    ops = [op for op in structure.ancestors([tensor.op], ends, inputs=numbers.inputs) if op not in ends]
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
