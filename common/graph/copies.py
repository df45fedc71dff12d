"""Parts of a recipe's graph computed once more: from other numbers, in double precision, for many values at once."""

from common import tf1 as tf
from common.graph import structure

FLOATS = (1, 14, 19)  # float32, bfloat16 and float16, as a graph's definition numbers them
# Operations that compute each element of a tensor from the same elements of their inputs.
ELEMENTWISE = frozenset("""
    Abs Acos Acosh Add AddN AddV2 Asin Asinh Atan Atan2 Atanh Cast Ceil ClipByValue Cos Cosh Div DivNoNan Elu EluGrad
    Equal Erf Erfc Exp Expm1 Floor FloorDiv FloorMod Greater GreaterEqual InvGrad IsFinite IsInf IsNan LeakyRelu
    LeakyReluGrad Less LessEqual Log Log1p LogicalAnd LogicalNot LogicalOr Maximum Minimum Mul MulNoNan Neg NotEqual
    OnesLike Pow PreventGradient RealDiv Reciprocal ReciprocalGrad Relu Relu6 Relu6Grad ReluGrad Rint Round Rsqrt
    RsqrtGrad SelectV2 Selu SeluGrad Sigmoid SigmoidGrad Sign Sin Sinh Softplus SoftplusGrad Softsign SoftsignGrad
    Sqrt SqrtGrad Square SquaredDifference StopGradient Sub Tan Tanh TanhGrad Xdivy Xlog1py Xlogy ZerosLike""".split())
# Those which, where every tensor is one number, give the number of their input of this index,
SAME = {**dict.fromkeys("""BiasAddGrad BroadcastTo ConcatV2 ExpandDims GatherV2 Identity Max Mean Min Pack Prod Reshape
    Squeeze StridedSlice Sum Tile Transpose Unpack""".split(), 0), "Fill": 1, "StridedSliceGrad": 4}
# and those which then are others.
RENAMED = {"BatchMatMulV2": "Mul", "BiasAdd": "AddV2", "MatMul": "Mul", "Select": "SelectV2"}
FORMS = ELEMENTWISE.union(SAME, RENAMED, ["L2Loss"])
EXECUTED = ("VarHandleOp", "ReadVariableOp", "ResourceApply", "Assign")  # how operations with variables begin,
PER_NUMBER = ("delta", "grad", "value")  # and those of their inputs that have a number for each of the variable's


def copy(wanted, places, double=False, many=frozenset(), size=None, control=False):
    """Compute tensors (or have operations) of a graph a second time, in the default graph; returns the copies.

    places   {tensor: the one that takes its place; with `double`, cast to the type of a copy}
    double   in float64 instead of smaller floats
    many     operations with a number for each run, as `structure.depending` finds them: vectors, in `places` too
    size     [runs]; each tensor that is wanted then is such a vector
    control  also what is only executed before

    Raises `structure.Unknown` where an operation has no form for many; ValueError, TypeError as TensorFlow does.
    """
    found, last = dict(places), [getattr(each, "op", each) for each in wanted]
    if double:
        wide = {new: tf.cast(new, tf.float64 if old.dtype.is_floating else old.dtype) for old, new in places.items()}
        found = {old: wide[new] for old, new in places.items()}  # what takes several places is one tensor in all
    if wanted[0].graph is tf.get_default_graph():  # what does not depend on the places is there already
        ops = structure.ancestors(last)
        others = set(ops) - structure.depending(ops, [each.op for each in places])
        found.update((each, each) for op in others for each in op.outputs)

    def vector(tensor):
        return found[tensor] if tensor.op in many else tf.fill(size, tf.reshape(found[tensor], []))

    ends = {tensor.op for tensor in found}
    for op in structure.ancestors(last, ends, control, lambda op: _inputs(op) if op in many else op.inputs):
        if op in ends:
            continue
        with tf.control_dependencies([found[each] for each in op.control_inputs if each in found]):
            if size is not None:
                _check(op, op in many)
            if op not in many:
                found[op] = _again(op, [found[each] for each in op.inputs], double)
            elif op.type.startswith(EXECUTED):
                inputs = structure.arguments(op).items()
                inputs = [vector(each) if name in PER_NUMBER else found[each] for name, each in inputs]
                found[op] = _again(op, inputs, double)
            else:
                found[op] = _of_many(op, [vector(each) for each in _inputs(op)], double)
        found.update(zip(op.outputs, found[op].outputs, strict=True))
    return [vector(each) if size is not None and isinstance(each, tf.Tensor) else found[each] for each in wanted]


def _inputs(op):
    """The inputs that an operation's number depends on."""
    return [op.inputs[SAME[op.type]]] if op.type in SAME else list(op.inputs)


def _check(op, many):
    """See that an operation does the same each time, and that it has a form for many numbers if it is for many."""
    executed = op.type.startswith(EXECUTED)
    unknown = op.type in structure.CONTROL_FLOW or op.type.startswith("Placeholder")
    unknown |= op.op_def.is_stateful and not executed
    if many and not executed:
        sizes = {each.shape.num_elements() for each in (*_inputs(op), *op.outputs)}
        unknown |= op.type not in FORMS or not sizes <= {None, 1}
    if unknown:
        raise structure.Unknown(f"{op.name} ({op.type}) cannot be computed for many runs at once")


def _again(op, inputs, double, kind=None):
    """Make an operation (or another `kind` with the same definition) from other inputs."""
    node = op.node_def
    for name, attribute in list(node.attr.items()):
        if double and attribute.type in FLOATS:
            attribute.type = tf.float64.as_datatype_enum
        if double and attribute.tensor.dtype in FLOATS:
            attribute.tensor.CopyFrom(tf.make_tensor_proto(tf.make_ndarray(attribute.tensor), tf.float64))
        if name == "_class" or (kind and name != "T"):  # the former of operations that are not copied
            del node.attr[name]
    # By its name, since names too decide how TensorFlow rearranges a graph, and so how it rounds.
    return tf.get_default_graph().create_op(kind or op.type, inputs, name=op.name, attrs=dict(node.attr))


def _of_many(op, inputs, double):
    """Make an operation of one number from vectors of them."""
    if op.type in SAME:
        return tf.identity(inputs[0]).op
    if op.type == "L2Loss":
        return (tf.square(inputs[0]) / 2).op
    return _again(op, inputs, double, RENAMED.get(op.type))
