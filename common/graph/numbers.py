"""Graphs in which every tensor is one number: for many values at once, each tensor becomes a vector of them."""

from common import tf1 as tf

FLOATS = (1, 14, 19)  # float32, bfloat16 and float16, as a graph's definition numbers them
# Operations that compute each element of a tensor from the same elements of their inputs.
ELEMENTWISE = frozenset("""
    Abs Acos Acosh Add AddN AddV2 Asin Asinh Atan Atan2 Atanh Cast Ceil ClipByValue Const Cos Cosh Div DivNoNan Elu
    EluGrad Equal Erf Erfc Exp Expm1 Floor FloorDiv FloorMod Greater GreaterEqual InvGrad IsFinite IsInf IsNan
    LeakyRelu LeakyReluGrad Less LessEqual Log Log1p LogicalAnd LogicalNot LogicalOr Maximum Minimum Mul MulNoNan
    Neg NotEqual OnesLike Pow PreventGradient RealDiv Reciprocal ReciprocalGrad Relu Relu6 Relu6Grad ReluGrad Rint
    Round Rsqrt RsqrtGrad Select SelectV2 Selu SeluGrad Sigmoid SigmoidGrad Sign Sin Sinh Softplus SoftplusGrad
    Softsign SoftsignGrad Sqrt SqrtGrad Square SquaredDifference StopGradient Sub Tan Tanh TanhGrad Xdivy Xlog1py
    Xlogy ZerosLike""".split())
# Those which, where every tensor is one number, give the number of their input of this index,
SAME = {**dict.fromkeys("""BiasAddGrad BroadcastTo ConcatV2 ExpandDims GatherV2 Identity Max Mean Min Pack Prod Reshape
    Squeeze StridedSlice Sum Tile Transpose""".split(), 0), "Fill": 1, "StridedSliceGrad": 4}
# and those which then are others.
RENAMED = {"BatchMatMulV2": "Mul", "BiasAdd": "AddV2", "MatMul": "Mul", "Select": "SelectV2"}


def inputs(op):
    """The inputs that an operation's number depends on."""
    return [op.inputs[SAME[op.type]]] if op.type in SAME else list(op.inputs)


def is_one(op):
    """Whether an operation's tensors are one number each, of which `batch` knows how it is computed."""
    tensors = [*inputs(op), *op.outputs]
    known = op.type in ELEMENTWISE or op.type in SAME or op.type in RENAMED or op.type == "L2Loss"
    return known and all(each.shape.num_elements() == 1 for each in tensors)


def batch(tensor, ops, values, fixed, double):
    """What `copies.batch` gives, where `ops` compute the tensor of single numbers.

    Each tensor becomes a vector [n], so shapes, axes and indices, which could only say "this one number", are left out.
    """
    size, found = tf.shape(next(iter(values.values()))), dict(values)
    used = {tensor, *(each for op in ops for each in op.inputs)}
    found.update((old, tf.fill(size, tf.reshape(fixed[old], []))) for old in used.intersection(fixed))
    for op in ops:
        node, result = op.node_def, op.outputs[0]
        if double:
            make_double(node)
        if op.type in SAME:
            found[result] = found[inputs(op)[0]]
        elif op.type == "Const":
            number = tf.make_ndarray(node.attr["value"].tensor)
            found[result] = tf.fill(size, tf.constant(number.item(), number.dtype))
        elif op.type == "L2Loss":
            found[result] = tf.square(found[op.inputs[0]]) / 2
        else:
            named = ["T"] if op.type in RENAMED else [name for name in node.attr if not name.startswith("_")]
            dtype = tf.float64 if double and result.dtype.is_floating else result.dtype
            found[result] = tf.get_default_graph().create_op(
                RENAMED.get(op.type, op.type), [found[each] for each in op.inputs], [dtype],
                attrs={name: node.attr[name] for name in named}).outputs[0]
    return found[tensor]


def make_double(node):
    """Put float64 wherever an operation's definition has a smaller float."""
    for attribute in node.attr.values():
        if attribute.type in FLOATS:
            attribute.type = tf.float64.as_datatype_enum
        if attribute.tensor.dtype in FLOATS:
            attribute.tensor.CopyFrom(tf.make_tensor_proto(tf.make_ndarray(attribute.tensor), tf.float64))
