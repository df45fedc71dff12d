"""The chain rule by hand, one operation at a time.

What an operation with the inputs a and b and the value v passes on to each input of the gradient g that arrives at it,
in numbers and in words; {g}, {a}, {b}, {v} stand for the names. None for an input that gets no gradient.
"""

RULES = {
    "Mul": ((lambda g, v, a, b: g * b, "{b} × {g}"), (lambda g, v, a, b: g * a, "{a} × {g}")),
    "AddV2": ((lambda g, v, a, b: g, "{g}"), (lambda g, v, a, b: g, "{g}")),
    "Sub": ((lambda g, v, a, b: g, "{g}"), (lambda g, v, a, b: -g, "-{g}")),
    "Square": ((lambda g, v, a: 2 * a * g, "2 × {a} × {g}"),),
    "Neg": ((lambda g, v, a: -g, "-{g}"),),
    "Exp": ((lambda g, v, a: v * g, "{v} × {g}"),),
    "Log1p": ((lambda g, v, a: g / (1 + a), "{g} / (1 + {a})"),),
    "ExpandDims": ((lambda g, v, a, b: g, "{g}"), None),
    # Select passes the gradient to the input that it chose: the first where the condition holds.
    "Select": (None, (lambda g, v, c, a, b: g if c else 0 * g, "{first}"),
               (lambda g, v, c, a, b: 0 * g if c else g, "{second}")),
}
RULES["SelectV2"] = RULES["Select"]


def terms(nodes, gradients, values, node, name):
    """What the users of `node` pass on to it: a number and words for each, or None where one has no rule.

    nodes      {node: the nodes that it is computed from}
    gradients  {node: the gradient at it}, known for all users
    values     {node: its value}
    name       a function from a node to its name
    """
    found = []
    for user, sources in nodes.items():
        for index in (index for index, source in enumerate(sources) if source is node and user in gradients):
            if user.type not in RULES or RULES[user.type][index] is None:
                return None
            number, text = RULES[user.type][index]
            inputs, g = [values[each] for each in sources], f"[{name(user)}]"
            first, second = (g, "0") if inputs[0] else ("0", g)
            named = dict(zip("ab", map(name, sources), strict=False))
            found.append((number(gradients[user], values[user], *inputs),
                          text.format(g=g, v=name(user), first=first, second=second, **named)))
    return found
