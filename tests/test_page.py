"""The scripts are the page to the letter: its programs, statement by statement, but for the README's table."""

import ast
import re

import pytest
from conftest import CHECKOUT, RECIPES
from make_reference import rows

MOST_OWN, MOST_LINES = 4, 71  # statements in `train`, lines of a script


def flat(body, depth=0):
    """Statements as (depth, text), without docstrings; a loop or condition is its first line, its body comes behind."""
    for node in body:
        if isinstance(node, (ast.For, ast.If)):
            assert not node.orelse
            yield depth, ast.unparse(node).splitlines()[0]
            yield from flat(node.body, depth + 1)
        elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            yield depth, ast.unparse(node)


class Normal(ast.NodeTransformer):
    """Puts the numbers of `train`'s defaults in for its parameters, and drops the names of the graph's nodes."""

    def __init__(self, train):
        pairs = zip(train.args.args, train.args.defaults, strict=True)
        self.numbers = {name.arg: value for name, value in pairs if name.arg not in ("seed", "optimizer")}

    def visit_Name(self, node):
        return self.numbers.get(node.id, node) if isinstance(node.ctx, ast.Load) else node

    def visit_Call(self, node):
        self.generic_visit(node)
        node.keywords = [keyword for keyword in node.keywords if keyword.arg != "name"]
        return node


def source(recipe):
    return (CHECKOUT / "recipes" / f"{recipe}.py").read_text(encoding="utf-8")


def script(recipe):
    """The script's imports of numpy and TensorFlow and the lines of `train`, with those of `draw_samples`."""
    tree = ast.parse(source(recipe))
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert list(functions) == ["draw_samples", "train"]
    imports = flat(node for node in tree.body if ast.unparse(node).startswith("import numpy"))
    lines = [*imports, *flat(node for node in tree.body if "tf1" in ast.unparse(node))]
    drawn = list(flat(functions["draw_samples"].body))
    assert drawn.pop() == (0, "return (x_vals, y_vals)")
    for line in flat(Normal(functions["train"]).visit(functions["train"]).body):
        lines += drawn if "draw_samples()" in line[1] else []
        lines.append(line)
    return lines


def page(recipe):
    """The page's program as (depth, text), as it was printed: to record it, one name had to be mended."""
    text = (CHECKOUT / "tests/golden" / f"page-{recipe}.py").read_text(encoding="utf-8")
    text = text.replace("tf.global_variables_initializer()", "tf.global_variable_initializer()")
    return list(flat(ast.parse(text).body))


def table():
    """The README's table: {what the page has: what stands here instead}, and the statements that are not the page's."""
    text = (CHECKOUT / "README.md").read_text(encoding="utf-8").split("\n## What differs from the page\n")[1]
    replaced, own = {}, []
    for theirs, ours, _ in rows(text.split("\n## ")[0])[1:]:
        if theirs == "nothing":
            own += re.findall("`([^`]*)`", ours)
        elif "before the optimizer" not in theirs:
            replaced[theirs.strip("`")] = "" if ours == "nothing" else ours.strip("`")
    return replaced, own


def differences(recipe, replaced, own):
    """The page's statements that the script lacks in its order, the script's that are nobody's, and its own."""
    wanted = []
    for depth, text in page(recipe):
        for theirs, ours in replaced.items():
            text = ours and text.replace(theirs, ours) if theirs in text else text
        wanted += [(depth, text)] if text else []
    late = [line for line in wanted if line[1] == "sess.run(init)" or line[1].startswith("init = ")]
    loop = next(at for at, (_, text) in enumerate(wanted) if text.startswith("for "))
    wanted = [line for line in wanted[:loop] if line not in late] + late + wanted[loop:]
    patterns = [re.escape(each).replace("…", r"\w+") for each in own]
    strange, ours = [], []
    for depth, text in script(recipe):
        if wanted and (depth, text) == wanted[0]:
            del wanted[0]
        elif depth == 0 and any(re.fullmatch(pattern, text) for pattern in patterns):
            ours.append(text)
        else:
            strange.append(text)
    return wanted, strange, ours


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_script_has_the_pages_statements_in_its_order_and_no_others_but_for_the_table(recipe):
    missing, strange, own = differences(recipe, *table())
    assert (missing, strange) == ([], [])
    assert len(own) <= MOST_OWN


def test_no_row_of_the_table_is_too_many():
    replaced, own = table()
    assert len(replaced) >= 9
    for theirs in replaced:
        others = {each: ours for each, ours in replaced.items() if each != theirs}
        assert any(differences(recipe, others, own)[:2] != ([], []) for recipe in RECIPES), theirs
    for each in own:
        others = [other for other in own if other != each]
        assert any(differences(recipe, replaced, others)[1] for recipe in RECIPES), each


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_script_is_short_and_takes_few_names_from_common(recipe):
    tree = ast.parse(source(recipe))
    names = [name.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
             and node.module.split(".")[0] == "common" for name in node.names]
    assert sorted(names) == ["recipe", "tf1"]
    printed = [line for line in ast.get_docstring(tree).partition("` prints:")[2].splitlines() if line]
    assert len(source(recipe).splitlines()) - len(printed) - 3 <= MOST_LINES  # nor the heading of what is printed
    train = tree.body[[getattr(node, "name", "") for node in tree.body].index("train")]
    assert [ast.unparse(node)[:4] for node in tree.body[tree.body.index(train) + 1:]] == ["main", "if _"]
