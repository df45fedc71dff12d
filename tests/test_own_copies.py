"""The learner's own programs: the page's mended, the same in TensorFlow 2, and what half-mended copies say.

All run in one process without this project, which starts with this file's first test.
"""

import json
import re
import subprocess
import sys

import numpy as np
import pytest
import regression
from conftest import CHECKOUT, SCRIPTS, once, train
from make_reference import ENGLISH, blocks, rows

_, _, TENSORFLOW_2, MENDING, *_ = (page.read_text(encoding="utf-8") for page in ENGLISH)
MENDED = dict(zip(SCRIPTS, (text for language, text in blocks(MENDING) if language == "py"), strict=True))
IN_TENSORFLOW_2 = dict(zip(SCRIPTS, (text for language, text in blocks(TENSORFLOW_2) if language == "py"), strict=True))
PAGE = {recipe: (CHECKOUT / f"tests/golden/page-{recipe}.py").read_text(encoding="utf-8") for recipe in SCRIPTS}
SEEDS = [("regression", "605"), ("regression", "7"), ("classification", "605")]


def section(heading):
    return re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", MENDING, re.S | re.M)[1]


def code(cell):
    """What stands between the first backticks of a cell."""
    return re.search(r"(`+) ?(.*?) ?\1(?!`)", cell)[2]


def changed(program, *changes):
    for old, new in changes:
        assert old in program
        program = program.replace(old, new)
    return program


def programs():
    """All programs by name; first those that leave eager execution on."""
    v1, sgd = "import tensorflow.compat.v1 as tf", "tf.train.GradientDescentOptimizer(0.05)"
    trained = MENDED["regression"].partition("for i in")[0]
    return {
        **{f"2 {recipe} {seed}": IN_TENSORFLOW_2[recipe].replace("605", seed) for recipe, seed in SEEDS},
        "session": PAGE["regression"],
        "placeholder": changed(PAGE["regression"], ("import tensorflow as tf", v1)),
        "only session": changed(PAGE["regression"], ("tf.Session", "tf.compat.v1.Session")),
        "optimizer": "import tensorflow as tf\n" + re.search("my_opt = .*", PAGE["regression"])[0],
        "eager": f"{v1}\nA = tf.Variable([1.])\ntf.train.GradientDescentOptimizer(0.02).minimize(A * 2)",
        **{f"1 {recipe} {seed}": MENDED[recipe].replace("605", seed) for recipe, seed in SEEDS},
        "mul": changed(MENDED["regression"], ("tf.multiply", "tf.mul")),
        "initializer": changed(MENDED["regression"], ("global_variables_", "global_variable_")),
        "positional": changed(MENDED["classification"], ("logits=", ""), ("labels=", "")),
        "labels": changed(MENDED["classification"], ("logits=my_output_expanded", "my_output_expanded")),
        "deprecated": changed(MENDED["classification"], ("range(1400)", "range(2)"),
                              ("global_variables_initializer", "initialize_all_variables")),
        "early": changed(MENDED["classification"], (sgd, "tf.train.MomentumOptimizer(0.05, 0.9)")),
        "early adam": changed(MENDED["classification"], (sgd, "tf.train.AdamOptimizer(0.05)")),
        "uninitialized": changed(MENDED["regression"], ("sess.run(init)\n", "")),
        "empty": changed(MENDED["classification"], ("ops.reset_default_graph()\nsess = tf.Session()\n",
                                                    "sess = tf.Session()\nops.reset_default_graph()\n")),
        "shape": changed(MENDED["regression"], ("[x_vals[rand_index]]", "x_vals[rand_index]")),
        "step": trained + "Step #25 A = [ 6.23402166]\n",
    }


# Runs the programs of a JSON dict, and prints what each of them says, as JSON.
SAY = """
import contextlib, gc, io, json, logging, sys
gc.disable()  # while TensorFlow loads, that alone is a fifth of it
programs, said, warned = json.load(sys.stdin), {}, []
import tensorflow as eager, tensorflow.compat.v1 as tf

class Kept(logging.Handler):
    def emit(self, record):
        warned.append(record.getMessage())

logging.getLogger("tensorflow").addHandler(Kept())
for name, program in programs.items():
    if not tf.executing_eagerly():
        tf.reset_default_graph()
    del warned[:]
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            exec(compile(program, "<string>", "exec"), {"__name__": "__main__"})
    except Exception as error:
        said[name] = ""
        while error:  # TensorFlow raises a second one that says where, and Python prints both
            said[name] += f"{type(error).__name__}: {error}\\n"
            error = error.__context__
    else:
        said[name] = printed.getvalue() + "".join(warned)
json.dump(said, sys.stdout)
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What the programs say, by name."""
    folder = tmp_path_factory.mktemp("said")
    (folder / "say.py").write_text(SAY, encoding="ascii")
    done = subprocess.run([sys.executable, "say.py"], input=json.dumps(programs()), cwd=folder, capture_output=True,
                          text=True, check=True, timeout=120)
    (folder / "tensorflow.py").write_text("import numpy\n", encoding="utf-8")
    (folder / "page.py").write_text("from tensorflow.python.framework import ops\n", encoding="utf-8")
    shadowed = subprocess.run([sys.executable, "page.py"], cwd=folder, capture_output=True, text=True, check=False)
    return {**json.loads(done.stdout[done.stdout.index('{"2 reg'):]), "shadowed": shadowed.stderr.splitlines()[-1]}


def test_the_mended_programs_are_the_pages_with_the_changes_of_the_table_and_no_other():
    table = rows(section("Mend your own copy"))[1:]
    for recipe, mended in MENDED.items():
        page = PAGE[recipe][PAGE[recipe].index("import numpy"):]
        page = page.replace("variables_initializer()\n", "variable_initializer()\n")  # as it was printed
        lines = [line.rstrip() for line in page.splitlines()]
        for old, new, where in table:
            if where.startswith((recipe, "both")):
                at = lines.index(code(old))
                lines[at:at + 1] = re.findall("`(.*?)`", new)
        assert "\n".join(lines) + "\n" == mended


@pytest.mark.parametrize(("recipe", "seed"), SEEDS)
def test_the_mended_pages_and_those_in_tensorflow_2_print_the_scripts_characters(said, recipe, seed):
    printed = once(recipe, *(["--seed", seed] if seed != "605" else []))[1]
    ours = "".join(re.findall(r"^(?:Step|Loss).*\n", printed, re.M))
    assert said[f"1 {recipe} {seed}"] == said[f"2 {recipe} {seed}"] == ours
    if seed == "605":
        assert f"```text\n{ours}```" in TENSORFLOW_2


def test_tensorflow_says_what_the_table_of_messages_says(said):
    said = {name: text for name, text in said.items() if name[:2] not in ("1 ", "2 ")}
    positional, adam = said.pop("positional"), said.pop("early adam")
    found = rows(section("What TensorFlow says"))[1:]
    messages = [code(row[0]).split(". Did you mean")[0] for row in found if "no message" not in row[0]]
    assert len(messages) == len(said) == 15
    for message in messages:
        assert sum(message in text for text in said.values()) == 1, message
    assert adam.startswith("FailedPreconditionError")
    row, = (row for row in found if "no message" in row[0])
    assert "A = [45.…]" in row[0]
    A, loss = ([float(each) for each in re.findall(rf"{name} = \[+(.*?)\]+", positional)] for name in ("A", "Loss"))
    assert np.all(np.diff(A) >= 0)
    assert A[-1] == pytest.approx(45, abs=6)  # 10 + 0.05 for each sample of class 1: 35, standard deviation 1.4
    assert all(each == pytest.approx(np.log(2)) or each < 0 for each in loss)


def test_the_scripts_say_what_the_table_of_endings_says(capsys, tmp_path):
    sentences = [code(row[0]) for row in rows(section("When a run ends early"))[1:]]
    with pytest.raises(SystemExit):
        regression.main(["--steps", "1.5"])
    train(tmp_path, "--learning-rate", 1.2)
    train(tmp_path, main=regression.main._replace(draw_samples=lambda: (np.ones(100), np.full(100, 20.))))
    printed = "".join(capsys.readouterr())
    for sentence in (sentences[0], sentences[2], sentences[3].rstrip("…")):
        assert sentence in printed, sentence
