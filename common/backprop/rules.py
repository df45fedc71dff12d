"""The formulas of back propagation: the chain rule at an operation, the updates of the optimizers, their numbers."""

import re

import numpy as np

# What an operation with the inputs a and b and the value v passes on to each input of the gradient g that arrives at
# it; all are single numbers. None for an input that gets no gradient.
RULES = {
    "Mul": ("{b} × {g}", "{a} × {g}"), "AddV2": ("{g}", "{g}"), "Sub": ("{g}", "-{g}"), "Neg": ("-{g}",),
    "Square": ("2 × {a} × {g}",), "Exp": ("{v} × {g}",), "Log1p": ("{g} / (1 + {a})",), "ExpandDims": ("{g}", None),
    "Mean": ("{g}", None), "Sum": ("{g}", None),
}
# By optimizer, the update as the operations of TensorFlow compute it that are given a rate only. An accent marks a
# value after the step: of what the optimizer remembers, in the order of the operation's arguments, and of A.
DESCENT = ["A' = A - rate × gradient"]
ADAGRAD = ["squares' = squares + gradient²", "A' = A - rate × gradient / √squares'"]
VELOCITY = "velocity' = momentum × velocity + gradient"
MEAN_SQUARE = "mean_square' = rho × mean_square + (1 - rho) × gradient²"
UPDATES = {
    "gradient-descent": DESCENT, "proximal-gradient-descent": DESCENT, "adagrad": ADAGRAD, "proximal-adagrad": ADAGRAD,
    "momentum": [VELOCITY, "A' = A - rate × velocity'"],
    "nesterov": [VELOCITY, "A' = A - rate × (gradient + momentum × velocity')"],
    "adagrad-da": ["sum' = sum + gradient", "squares' = squares + gradient²", "A' = -rate × sum' / √squares'"],
    "adadelta": [MEAN_SQUARE, "update = √(mean_square_update + epsilon) / √(mean_square' + epsilon) × gradient",
                 "mean_square_update' = rho × mean_square_update + (1 - rho) × update²", "A' = A - rate × update"],
    "adam": ["m' = beta1 × m + (1 - beta1) × gradient", "v' = beta2 × v + (1 - beta2) × gradient²",
             "rate_now = rate × √(1 - beta2_power) / (1 - beta1_power)", "A' = A - rate_now × m' / (√v' + epsilon)"],
    "rmsprop": [MEAN_SQUARE, "update' = momentum × update + rate × gradient / √(mean_square' + epsilon)",
                "A' = A - update'"],
    "ftrl": ["squares' = squares + gradient²", "linear' = linear + gradient - (√squares' - √squares) / rate × A",
             "A' = -rate × linear' / √squares'"],
}


def filled(formula, texts):
    """A formula with texts in the places of its names; negative numbers in brackets behind an operator."""
    text = re.sub(r"[A-Za-z_][A-Za-z_0-9]*'?", lambda name: texts[name[0]], formula)
    return re.sub(r"(?<= )-[\d.e+-]+", r"(\g<0>)", text)


def computed(text):
    """What a formula with numbers comes to, in double precision."""
    code = re.sub(r"√(\(.*?\)|[\d.e+-]+)", r"sqrt(\1)", text).replace("²", "**2").replace("×", "*")
    return float(eval(code, {"sqrt": np.sqrt, "inf": np.inf, "nan": np.nan}))
