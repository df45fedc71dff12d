"""What the documents show is so: every command runs, every output is what it prints, every link leads somewhere."""

import contextlib
import inspect
import io
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import make_reference as reference
import numpy as np
import pytest
import regression
from conftest import CHECKOUT, SCRIPTS, end, start
from make_reference import DOCUMENTS, LANGUAGES, PAIRS, RECIPE, REFERENCE, RUNS, SHOWN, START, made, output_of

from common.comparison import table

WALKTHROUGH, EXERCISES, CLAIMS = (english for english, _ in PAIRS)
WALKTHROUGHS = PAIRS[0][:LANGUAGES]
PAGES = [*DOCUMENTS, CHECKOUT / "tests/golden/README.md", CHECKOUT / "tests/benchmarks/README.md"]
TEXTS = {page: page.read_text(encoding="utf-8") for page in PAGES}
SHOWS = {block: shown for document in DOCUMENTS for block, shown in SHOWN.findall(TEXTS[document])}
BLOCKS = sorted({block for text in TEXTS.values() for block in re.findall(r"```sh\n(.*?)\n```", text, re.S)})
# Commands within a sentence or a table, which show no output.
NAMED = sorted({command for document in DOCUMENTS for command in re.findall(r"`([^`\n]*recipes/\w+\.py[^`\n]*)`",
                                                                           TEXTS[document]) if " " in command})
# How any other line begins: the set-up, which .ci/run does, and what whoever follows the document does by hand.
OTHERS = ("python3 -m venv .venv", ".venv/bin/python -m pip ", ".venv/bin/pip ", ".venv/bin/python -m pytest",
          ".venv/bin/python tests/", ".venv/bin/ruff", ".venv/bin/tensorboard ", ".ci/run", "git clone ", "cd ")
PROGRAMS = dict(zip(SCRIPTS, re.findall(r"</summary>\n\n```py\n(.*?)```\n\n</details>", TEXTS[WALKTHROUGH], re.S),
                    strict=True))


def name_of(page):
    return str(page.relative_to(CHECKOUT))


def same_text(ours, theirs):
    """The same words, and numbers that agree as far as float32 does on another processor: to one in the last digit."""
    number = re.compile(r"-?\d+\.\d+(?:e[+-]\d+)?")
    if number.sub("#", ours).split() != number.sub("#", theirs).split():
        return False
    for a, b in zip(number.findall(ours), number.findall(theirs), strict=True):
        last_digit = 10.0 ** -len(b.partition(".")[2].partition("e")[0])
        if abs(float(a) - float(b)) > max(1e-5 * abs(float(b)), 1.01 * last_digit):
            return False
    return True


def section(page, heading):
    """The text from a heading to the next one of its kind."""
    sign = heading.split(" ")[0]
    return re.search(rf"^{re.escape(heading)}\n(.*?)(?=^#{{1,{len(sign)}}} |\Z)", TEXTS[page], re.S | re.M)[1]


def rows(text):
    """The rows of the tables in a text, each a list of its cells."""
    lines = [line for line in text.splitlines() if line.startswith("|") and not re.fullmatch(r"[| -]+", line)]
    return [[cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def code(cell):
    """What stands between the first backticks of a cell."""
    return re.search(r"(`+) ?(.*?) ?\1(?!`)", cell)[2]


# --- commands and what they print ---

@pytest.mark.parametrize("block", SHOWS)
def test_commands_print_what_the_documents_show(block):
    assert same_text(output_of(block), SHOWS[block])


def test_a_command_shows_the_same_output_wherever_it_stands():
    found = [each for document in DOCUMENTS for each in SHOWN.findall(TEXTS[document])]
    assert len(set(found)) == len(SHOWS)


def without_animation(command):
    """The same command without its moving picture, which test_animation.py is about and which takes seconds."""
    return command.replace(" --animate", "")


@pytest.mark.parametrize("command", NAMED)
def test_a_command_named_in_a_sentence_runs(command):
    command = without_animation(command).replace(".venv/bin/python -i ", ".venv/bin/python ")
    assert RECIPE.fullmatch(command), "no interpreter, or no recipe"
    assert made(command).printed.splitlines()[-1].startswith("Wrote ")


def test_every_command_line_of_the_documents_is_of_a_known_kind():
    for block in BLOCKS:
        if block not in SHOWS and "<<" not in block:
            for line in block.splitlines():
                line = line.split("  #")[0]
                assert RECIPE.fullmatch(line) or line.startswith((*OTHERS, "cat outputs/exercise/")), line
    for page, text in TEXTS.items():
        for block in re.findall(r"```powershell\n(.*?)\n```", text, re.S):
            assert all(line.startswith((r".venv\Scripts\python ", "py -")) for line in block.splitlines()), page


@pytest.mark.parametrize("command", sorted({line for block in BLOCKS if block not in SHOWS
                                            for line in block.splitlines() if RECIPE.fullmatch(line)}))
def test_a_command_shown_without_its_output_runs(command):
    assert "Wrote " in made(without_animation(command)).printed


def test_the_exercises_print_what_their_answers_say():
    asked = re.findall(r"^\*\*(\d+)\. .*?(?=^\*\*\d+\. |^## )", TEXTS[EXERCISES], re.S | re.M)
    assert asked == [str(number) for number in range(1, 13)]
    texts = re.findall(r"^\*\*\d+\. .*?(?=^\*\*\d+\. |^## |\Z)", TEXTS[EXERCISES], re.S | re.M)
    measured = {  # exercise: what stands in its question or answer and in what its command prints or writes
        1: ("0.919287", "82.4594", "-20.59178", "1.222623"), 2: ("9.9262",),
        3: ("0.432095", "0.350852", "1.1355777", "0.42597467"), 4: ("7.9229", "1.0121"), 5: ("157",), 6: ("23", "843"),
        7: ("160", "149", "0.2115", "0.2136"), 8: ("4.9170",), 9: ("10.318407", "10.273685"), 10: ("-0.7757",)}
    for number, figures in measured.items():
        text = texts[number - 1].replace("−", "-")
        command = re.search(r"```sh\n([^\n]*)\n", text)[1]
        result = made(command)
        printed = result.printed + "".join(
            path.read_text(encoding="ascii") for path in (result.folder / "outputs/exercise").glob("*.csv"))
        for figure in figures:
            assert figure in text, (number, figure)
            numbers = re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w.])", printed)
            digits = len(figure.partition(".")[2])
            assert any(f"{float(each):.{digits}f}" == figure or each.startswith(figure) for each in numbers), (
                number, figure)


def test_the_code_for_ipython_and_from_other_code_works(monkeypatch):
    blocks = re.findall(r"```py\n(.*?)```", section(WALKTHROUGH, "## In IPython and Jupyter"), re.S)
    magic, start, question = blocks
    assert magic == "%run recipes/regression.py --steps 200\nrun.A[-1]\n"
    names = {}
    monkeypatch.setattr(sys, "path", list(sys.path))
    with reference.elsewhere(), contextlib.redirect_stdout(io.StringIO()):
        exec(start, names)
    run = names["run"]
    assert (len(run.x), len(run.y), len(run.A), len(run.loss), len(run.x_vals), len(run.y_vals)) == (
        200, 200, 201, 200, 100, 100)
    assert ([path.name for path in run.files], run.status) == (["regression.csv", "regression.json"], 0)
    loss, = eval(question, names)
    assert loss == pytest.approx((run.A[-1] - 10) ** 2)
    with reference.elsewhere(), contextlib.redirect_stdout(io.StringIO()):
        comparison = regression.main(["--runs", "100", "--no-figure"])
        with contextlib.redirect_stderr(io.StringIO()), pytest.raises(SystemExit):
            regression.main(["--no-such-flag"])
    assert (list(comparison.rows[0]), len(comparison.files), comparison.status) == (list(table.FORMATS), 2, 0)


# --- the code of the scripts ---

@pytest.mark.parametrize("document", WALKTHROUGHS, ids=name_of)
@pytest.mark.parametrize("number", [0, 1], ids=SCRIPTS)
def test_the_code_in_a_walkthrough_stands_in_its_script_line_by_line(document, number):
    recipe = list(SCRIPTS)[number]
    script = (CHECKOUT / "recipes" / f"{recipe}.py").read_text(encoding="utf-8")
    parts = re.split(r"^## ", TEXTS[document], flags=re.M)
    parts = [part for part in parts if re.search(r"^\*\*[1-8]\. ", part, re.M)]
    steps = re.findall(r"^\*\*([1-8])\. ", parts[number], re.M)
    assert steps == list("12345678")
    snippets = re.findall(r"```py\n(.*?)```", parts[number], re.S)
    assert len(snippets) >= 8
    for snippet in snippets:
        assert f"\n{snippet}" in script, snippet
    loop = inspect.getsource(SCRIPTS[recipe].train).partition("    for i in")
    assert snippets[-1] == loop[1] + loop[2]


def test_every_name_in_the_scripts_code_was_introduced():
    text = re.split(r"^## The regression$", TEXTS[WALKTHROUGH], flags=re.M)[0]
    for name in ("samples", "start", "picks", "optimizer", "logged", "steps"):
        assert f"`run.{name}" in text
        assert f"run.{name}" in inspect.getsource(SCRIPTS["regression"].train)
    used = set(re.findall(r"\brun\.(\w+)", "".join(inspect.getsource(each.train) for each in SCRIPTS.values())))
    assert used == {"samples", "start", "picks", "optimizer", "logged", "steps"}


# --- mend your own copy ---

def test_the_mended_programs_are_the_pages_with_the_changes_of_the_table_and_no_other():
    table = rows(section(WALKTHROUGH, "## Mend your own copy"))[1:6]
    for recipe, mended in PROGRAMS.items():
        page = (CHECKOUT / "tests/golden" / f"page-{recipe}.py").read_text(encoding="utf-8")
        page = page[page.index("import numpy"):].replace("variables_initializer()\n", "variable_initializer()\n")
        lines = [line.rstrip() for line in page.splitlines()]
        for old, new, where in table:
            if recipe in where or where == "both":
                at = lines.index(code(old))
                lines[at:at + 1] = [found for _, found in re.findall(r"(`)(.*?)`", new)]
        assert "\n".join(lines) + "\n" == mended


def test_the_mended_programs_learn_what_the_page_says(said):
    for recipe, reports, target, sd, brackets in (("regression", 4, 9.74, 0.16, 1),
                                                  ("classification", 7, -0.99, 0.142, 2)):
        *lines, A, loss = said[recipe].splitlines()
        assert len(lines) == 2 * reports - 2
        assert abs(float(re.fullmatch(r"Step #1[04]?00 A = \[(.*)\]", A)[1]) - target) < 6 * sd
        assert re.fullmatch(rf"Loss = \[{{{brackets}}}[^\[\]]+\]{{{brackets}}}", loss)


def broken_programs():
    """A program for each row of the messages, by a name of its own; first those that leave eager execution on."""
    page = (CHECKOUT / "tests/golden/page-regression.py").read_text(encoding="utf-8")
    v1 = "import tensorflow.compat.v1 as tf"
    regression, classification = PROGRAMS.values()
    trained = regression.partition("for i in")[0]

    def changed(program, *changes):
        for old, new in changes:
            assert old in program
            program = program.replace(old, new)
        return program

    momentum = ("tf.train.GradientDescentOptimizer(0.05)", "tf.train.MomentumOptimizer(0.05, 0.9)")
    adam = ("tf.train.GradientDescentOptimizer(0.05)", "tf.train.AdamOptimizer(0.05)")
    return {
        "session": page,
        "placeholder": changed(page, ("import tensorflow as tf", v1)),
        "only session": changed(page, ("tf.Session", "tf.compat.v1.Session")),
        "optimizer": "import tensorflow as tf\n" + re.search("my_opt = .*", page)[0],
        "eager": f"{v1}\nA = tf.Variable([1.])\ntf.train.GradientDescentOptimizer(0.02).minimize(A * 2)",
        **PROGRAMS,  # the first of which switches eager execution off
        "mul": changed(regression, ("tf.multiply", "tf.mul")),
        "initializer": changed(regression, ("global_variables_", "global_variable_")),
        "positional": changed(classification, ("logits=", ""), ("labels=", "")),
        "labels": changed(classification, ("logits=my_output_expanded", "my_output_expanded")),
        "deprecated": changed(classification, ("global_variables_initializer", "initialize_all_variables"),
                              ("range(1400)", "range(2)")),
        "early": changed(classification, momentum),
        "early adam": changed(classification, adam),
        "uninitialized": changed(regression, ("sess.run(init)\n", "")),
        "empty": changed(classification, ("ops.reset_default_graph()\nsess = tf.Session()\n",
                                          "sess = tf.Session()\nops.reset_default_graph()\n")),
        "shape": changed(regression, ("[x_vals[rand_index]]", "x_vals[rand_index]")),
        "step": trained + "Step #25 A = [ 6.23402166]\n",
    }


# Runs the programs of a JSON dict in a process of their own, and prints what each of them says, as JSON.
SAY = """
import contextlib, io, json, logging, sys
programs, said, warned = json.load(sys.stdin), {}, []
import tensorflow.compat.v1 as tf

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
            exec(program, {"__name__": "__main__"})
    except Exception as error:
        said[name] = ""
        while error:  # TensorFlow raises a second one that says where, and Python prints both
            said[name] += f"{type(error).__name__}: {error}\\n"
            error = error.__context__
    else:
        said[name] = printed.getvalue() + "".join(warned)
json.dump(said, sys.stdout)
"""


@pytest.fixture(scope="module", autouse=True)
def saying(request, tmp_path_factory):
    """The process that says what `said` gives, which runs from this file's first test on; None if no test asks."""
    if not any("said" in item.fixturenames for item in request.session.items):
        yield None
        return
    folder = tmp_path_factory.mktemp("said")
    (folder / "programs").write_text(json.dumps(broken_programs()), encoding="ascii")
    with open(folder / "programs", encoding="ascii") as programs:
        process = start([sys.executable, "-c", SAY], stdin=programs, cwd=folder)
    yield process
    process.kill()
    process.wait()
    process.stdout.close()
    process.stderr.close()


@pytest.fixture(scope="module")
def said(saying, tmp_path_factory):
    """What the mended programs and the broken ones say, by name."""
    done = end(saying)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout[done.stdout.index('{"session"'):])
    folder = tmp_path_factory.mktemp("shadow")
    (folder / "tensorflow.py").write_text("import numpy\n", encoding="utf-8")
    (folder / "page.py").write_text("from tensorflow.python.framework import ops\n", encoding="utf-8")
    shadowed = subprocess.run([sys.executable, "page.py"], cwd=folder, capture_output=True, text=True)
    return {**said, "shadowed": shadowed.stderr.splitlines()[-1]}


def test_tensorflow_says_what_the_table_of_messages_says(said):
    said = {name: text for name, text in said.items() if name not in PROGRAMS}
    positional, adam = said.pop("positional"), said.pop("early adam")
    found = rows(section(WALKTHROUGH, "## Mend your own copy"))[7:]
    messages = [code(row[0]).split(". Did you mean")[0] for row in found if "no message" not in row[0]]
    assert len(messages) == len(said) == 15
    for message in messages:
        assert sum(message in text for text in said.values()) == 1, message
    assert adam.startswith("FailedPreconditionError")

    row, = (row for row in found if "no message" in row[0])
    assert "A = [45.…]" in row[0]
    A = [float(each) for each in re.findall(r"A = \[(.*?)\]", positional)]
    loss = [float(each) for each in re.findall(r"Loss = \[\[(.*?)\]\]", positional)]
    assert np.all(np.diff(A) >= 0)
    assert A[-1] == pytest.approx(45, abs=6)  # 10 + 0.05 for each sample of class 1: 35, standard deviation 1.4
    assert all(each == pytest.approx(np.log(2)) or each < 0 for each in loss)


# --- what the documents say of the output, the files and the claims ---

def test_every_word_of_the_tables_on_the_terminal_is_explained():
    text = re.sub("```.*?```", "", section(WALKTHROUGH, "## There's more: learning rates"), flags=re.S)
    for column, (width, _) in table.FORMATS.items():
        if width and column not in ("optimizer", "learning_rate", "runs"):
            assert f"`{column}`" in text, column
    assert {"`never`", "`-`"} <= set(re.findall("`[^`]+`", text))
    trace = section(WALKTHROUGH, "## Back propagation, node by node")
    for word in ("node", "operation", "value", "gradient", "by hand", "difference", "no rule", "cannot tell",
                 "The optimizer remembers"):
        assert f"`{word}`" in trace, word
    for word in ("A", "Loss", "In theory", "the least loss for these samples", "Wrote"):
        assert f"`{word}`" in section(WALKTHROUGH, "## The regression"), word
    assert "`Accuracy`" in section(WALKTHROUGH, "## The classification")


def test_the_table_of_files_names_what_is_written():
    named = set()
    for files, _, _ in rows(section(WALKTHROUGH, "## What is written, and where"))[1:]:
        first, *endings = re.findall("`([^`]+)`", files)
        named |= {first, *(first.rpartition(".")[0] + ending for ending in endings)}
    written = {"regression.gif"}
    for words in ("", " --learning-rate 0.002 0.02 0.2 0.9 1.2 --runs 1000", " --trace --steps 1"):
        written |= {path.name for path in (made(f"{START}regression.py{words}").folder / "outputs").iterdir()}
    assert named == written


def test_what_the_page_got_wrong_is_what_the_claims_say():
    text = section(WALKTHROUGH, "## What the page got wrong, or left open")
    _, wrong, loosely = re.split(r"^Not true:|^Loosely true:", text, flags=re.M)
    claims = [row for row in rows(TEXTS[CLAIMS])[1:] if not row[0].startswith("(")]
    assert wrong.count("\n- ") == sum(row[1] == "not true" for row in claims)
    assert loosely.count("\n- ") == sum(row[1] == "loosely true" for row in claims)


def test_the_readme_lists_every_flag_and_its_default():
    text = TEXTS[CHECKOUT / "README.md"]
    listed = {re.match("`(--[a-z-]+)", row[0])[1]: row[2] for row in rows(text) if row[0].startswith("`--")}
    done = subprocess.run([sys.executable, CHECKOUT / "recipes/regression.py", "--help"], capture_output=True,
                          text=True, check=True)
    assert set(listed) == set(re.findall(r"^  (--[a-z-]+)", done.stdout, re.M))
    for flag, default in (("--seed", "18"), ("--runs", "1")):
        assert listed[flag] == default
        assert f"(default: {default})" in done.stdout


def test_nothing_names_a_path_of_some_machine_or_a_registry():
    for page, text in TEXTS.items():
        assert not re.search(r"(?<![\w.])/(?:work|tmp|root|home|usr)/|pypi|files\.pythonhosted", text), page


# --- both languages ---

@pytest.mark.parametrize(("english", "chinese"), PAIRS[:3 * (LANGUAGES - 1)], ids=lambda page: page.name)
def test_both_languages_show_the_same_commands_code_and_outputs(english, chinese):
    blocks = [re.findall(r"```(\w+)\n(.*?)```", TEXTS[page], re.S) for page in (english, chinese)]
    assert blocks[0] == blocks[1]
    links = [re.findall(r"!\[[^]]*\]\(([^)]+)\)", TEXTS[page]) for page in (english, chinese)]
    assert links[0] == links[1]
    assert [len(rows(TEXTS[page])) for page in (english, chinese)] == [len(rows(TEXTS[english]))] * 2
    figures = [[row[-1] for row in rows(TEXTS[page])] for page in (english, chinese)] if english == CLAIMS else [[], []]
    assert figures[0][1:] == figures[1][1:]


# --- links ---

def anchors(page):
    """The anchors of a page's headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.S | re.M)
    headings = re.findall(r"^#+ (.*)", text, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_and_picture_of_the_checkout_exists_with_its_anchor(page):
    prose = re.sub(r"^```.*?^```", "", TEXTS[page], flags=re.S | re.M)
    for link in re.findall(r"\]\(([^)]+)\)", prose):
        if "://" not in link:
            file, _, anchor = link.partition("#")
            target = page.parent / file if file else page
            assert target.exists(), link
            assert not anchor or anchor in anchors(target), link


# --- the tracked files ---

def size(png):
    """Width and height of a PNG in pixels."""
    return np.frombuffer(png[16:24], ">u4").astype(int)


@pytest.mark.parametrize(("words", "kept"), RUNS, ids=lambda value: value if isinstance(value, str) else "")
def test_a_tracked_file_is_what_its_command_gives_today(words, kept):
    command = f"{START}{words}"
    result = made(without_animation(command))
    for name, new_name in kept.items():
        tracked = (REFERENCE / new_name).read_bytes()
        ours = result.folder / "outputs" / name
        if name.endswith("csv"):
            rows_of = [text.splitlines() for text in (ours.read_text(encoding="ascii"), tracked.decode("ascii"))]
            for row, tracked_row in zip(*rows_of, strict=True):
                for cell, tracked_cell in zip(row.split(","), tracked_row.split(","), strict=True):
                    assert cell == tracked_cell or np.isclose(float(cell), float(tracked_cell), rtol=1e-5, atol=1e-5)
        elif name.endswith("json"):
            record, tracked_record = json.loads(ours.read_bytes()), json.loads(tracked)
            assert record["command"] == tracked_record["command"] == words
            assert record["flags"] == tracked_record["flags"]
            for name_of_number, number in tracked_record["result"].items():
                same = pytest.approx(number, rel=1e-5) if isinstance(number, float) else number
                assert record["result"][name_of_number] == same
        else:  # what made it, in its metadata
            assert words.encode() in tracked, new_name


@pytest.mark.parametrize("name", ["regression.png", "regression-graph.png", "regression-rates.png"])
def test_a_tracked_picture_has_the_size_of_todays(name):
    (words, made_as), = ((words, made_as) for words, kept in RUNS for made_as, new_name in kept.items()
                         if new_name == name)
    picture, metadata, numbers = made(f"{START}{words}").pictures[made_as]
    # The versions of matplotlib round differently.
    assert np.max(np.abs(size(picture(metadata, **numbers)) - size((REFERENCE / name).read_bytes()))) <= 1


def test_every_tracked_picture_is_shown_somewhere():
    shown = {Path(link).name for text in TEXTS.values() for link in re.findall(r"\]\(([^)]*reference/[^)]+)\)", text)}
    assert {path.name for path in REFERENCE.iterdir() if path.suffix in (".png", ".gif")} == shown


def test_the_tracked_files_stay_under_3_mib():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    if listed.returncode == 0:
        names = [name for name in listed.stdout.split("\0") if name]
    else:  # an unpacked archive
        names = [path.relative_to(CHECKOUT) for room in ("recipes", "common", "tests", "outputs/reference")
                 for path in (CHECKOUT / room).rglob("*.*") if "__pycache__" not in path.parts]
    assert sum(path.stat().st_size for path in (CHECKOUT / name for name in names) if path.exists()) < 3 * 2**20
    assert sum(path.stat().st_size for path in REFERENCE.iterdir()) < 2 * 2**20


def test_make_reference_makes_every_tracked_file_but_the_browsers():
    made_names = {new_name for _, kept in RUNS for new_name in kept.values()}
    assert made_names | {"tensorboard.png"} == {path.name for path in REFERENCE.iterdir()}
    assert all(shlex.split(words)[0] in ("regression.py", "classification.py") for words, _ in RUNS)
