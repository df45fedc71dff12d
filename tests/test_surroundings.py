"""A script is at home wherever Python runs, stops where it is asked to, and leaves everything as it was."""

import contextlib
import gc
import io
import os
import shutil
import signal
import subprocess
import sys
import threading
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import regression
from conftest import CHECKOUT, SCRIPTS, command, end, one_sentence, read_log, start

from common import data, tf1
from common.comparison import table
from common.ending import files, output, surroundings
from common.pictures import process

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
SCRIPT = CHECKOUT / "recipes" / "regression.py"
WHOLE = ["regression.csv", "regression.json", "regression.png"]


def main(folder, *flags, recipe="regression"):
    return SCRIPTS[recipe].main([*flags, "--output-dir", folder])


def names(folder):
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def wrote(text):
    """The names of the files in the "Wrote" lines."""
    return [line.rpartition("/")[2] for line in text.splitlines() if line.startswith("Wrote ")]


def python(*words, **options):
    return subprocess.run([sys.executable, *map(str, words)], capture_output=True, text=True,
                          encoding="utf-8", timeout=120, **options)


# --- signals ---

@pytest.fixture
def signals_at(monkeypatch):
    """Send signals, in this process, each time that `owner.name` is called for the n-th time."""
    def at(owner, name, *numbers, time=1):
        function, calls = getattr(owner, name), []

        def send(*arguments, **named):
            calls.append(name)
            if len(calls) == time:
                for number in numbers:
                    signal.raise_signal(number)
            return function(*arguments, **named)

        monkeypatch.setattr(owner, name, send)

    before = [signal.getsignal(number) for number in SIGNALS]
    yield at
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_a_second_signal_in_the_training_stops_at_once_and_the_log_is_written(signals_at, tmp_path, capsys):
    signals_at(data.Picks, "choice", signal.SIGTERM, signal.SIGINT, time=8)
    made = main(tmp_path, "--no-figure")
    assert made.status == 130
    printed, errors = capsys.readouterr()
    assert errors == "regression.py: stopped by SIGINT after step 7.\n"
    assert wrote(printed) == WHOLE[:2]
    assert read_log(tmp_path / "regression.csv")[0] == list(range(1, 8))


@pytest.mark.parametrize(("rate", "steps"), [(0.02, 100), (5, 19)])  # the second one diverges
def test_no_signal_keeps_the_log_from_being_written(rate, steps, signals_at, tmp_path, capsys):
    signals_at(files.os, "fsync", *[signal.SIGINT] * 3)
    made = main(tmp_path, "--learning-rate", rate, "--no-figure")
    assert made.status == 130
    assert capsys.readouterr().err == f"regression.py: stopped by SIGINT after step {steps}.\n"
    assert names(tmp_path) == WHOLE[:2]


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_while_the_picture_is_drawn_leaves_the_picture_out(number, signals_at, undrawn, tmp_path, capsys):
    signals_at(undrawn, "answer", number)
    made = main(tmp_path)
    assert made.status == 128 + number
    printed, errors = capsys.readouterr()
    assert one_sentence(errors)
    assert f"stopped by {signal.Signals(number).name}; what is not named as written is not written" in errors
    assert names(tmp_path) == wrote(printed) == WHOLE[:2]


def test_a_signal_while_the_animation_is_made_keeps_the_picture(signals_at, undrawn, tmp_path, capsys):
    signals_at(undrawn, "answer", signal.SIGINT, time=2)
    made = main(tmp_path, "--animate", "--steps", 5)
    assert made.status == 130
    printed, errors = capsys.readouterr()
    assert one_sentence(errors)
    assert names(tmp_path) == wrote(printed) == WHOLE


def test_a_signal_while_a_comparison_is_drawn_keeps_its_table(signals_at, tmp_path, capsys):
    signals_at(process.Drawing, "answer", signal.SIGTERM)
    made = main(tmp_path, "--runs", 3)
    assert made.status == 143
    printed, errors = capsys.readouterr()
    assert one_sentence(errors)
    assert names(tmp_path) == wrote(printed) == ["regression-comparison.csv", "regression-comparison.json"]


def test_no_signal_keeps_a_comparisons_table_from_being_written(signals_at, tmp_path, capsys):
    signals_at(table, "write", *[signal.SIGINT] * 3)
    made = main(tmp_path, "--runs", 3, "--no-figure")
    assert made.status == 130
    assert capsys.readouterr().err == "regression.py: stopped by SIGINT after 1 of 1 rows.\n"
    assert names(tmp_path) == ["regression-comparison.csv", "regression-comparison.json"]


def test_a_signal_before_the_training_leaves_nothing(signals_at, tmp_path, capsys):
    signals_at(data, "Picks", signal.SIGINT)
    with pytest.raises(SystemExit) as end:  # before there is anything to write
        main(tmp_path, "--no-figure")
    assert end.value.code == 130
    assert capsys.readouterr() == ("", "")
    assert names(tmp_path) == []


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_while_tensorflow_loads_ends_the_script_without_a_word(number, tmp_path):
    code = "import os, time; os.write(2, b'from C++'); print('loading', flush=True); time.sleep(60)"
    (tmp_path / "tensorflow.py").write_text(code, encoding="ascii")
    script = subprocess.Popen(
        command("regression", "--no-figure", "--output-dir", tmp_path / "out"), stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, encoding="utf-8", env={**os.environ, "PYTHONPATH": str(tmp_path)})
    try:
        script.stdout.readline()
        script.send_signal(number)
        assert script.communicate(timeout=30) == ("", "")
    finally:
        script.kill()
        script.wait()
    assert script.returncode == 128 + number
    assert names(tmp_path / "out") == []


def test_ctrl_c_on_a_terminal_stops_the_longest_run_and_draws_its_picture(tmp_path):
    flags = ["--steps", 10**8, "--report-every", 50, "--output-dir", tmp_path]
    script = subprocess.Popen(command("regression", *flags), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              encoding="utf-8", start_new_session=True)
    try:
        printed = [script.stdout.readline() for _ in range(4)]
        os.killpg(script.pid, signal.SIGINT)  # as a terminal does: to the process that draws too, were it in the group
        more, errors = script.communicate(timeout=60)
    finally:
        script.kill()
        script.wait()
    steps, _, _, A, _ = read_log(tmp_path / "regression.csv")
    assert script.returncode == 130
    assert errors == f"regression.py: stopped by SIGINT after step {steps[-1]}.\n"
    assert printed[2] == f"Step #100 A = {np.array([A[100]])}\n"
    assert wrote(more) == names(tmp_path) == WHOLE


def test_a_signal_that_is_ignored_stays_ignored_and_in_a_thread_there_are_none():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        with surroundings.Signals() as signals:
            signal.raise_signal(signal.SIGHUP)
            assert signals.noted is None
            assert signal.getsignal(signal.SIGINT) == signals._came
    finally:
        signal.signal(signal.SIGHUP, before)


# --- the interpreter goes on ---

def interactive(folder):
    """`python -i`: its words and what is typed."""
    lines = f"""
import cProfile, runpy, sys
print("ended", run.status, len(run.A) - len(run.x), run.x.shape == run.y.shape == run.loss.shape)
print("files", [str(path) for path in run.files])
run = main(["--no-figure", "--output-dir", {str(folder)!r}])
print("session", run.session.run(run.variable))
sys.argv = ["regression.py", "--no-figure", "--steps", "4", "--learning-rate", "5", "--output-dir", {str(folder)!r}]
for number in range(10): last = main(["--no-figure", "--steps", number + 1, "--output-dir", {str(folder)!r}])

print(last)
cProfile.run("print('profiled', len(main(sys.argv[1:])))", sort="tottime")
print("module", runpy.run_path({str(SCRIPT)!r})["main"].name)
print("script", runpy.run_path({str(SCRIPT)!r}, run_name="__main__")["run"])
"""
    return ["-i", SCRIPT, "--learning-rate", 5, "--no-figure", "--output-dir", folder], lines


def debugged(folder):
    return ["-m", "pdb", "-c", "continue", "--", SCRIPT, "--learning-rate", 5, "--no-figure", "--output-dir", folder], (
        "print('alive')\nquit\n")


def ipython(folder):
    lines = folder / "lines.ipy"
    lines.write_text(f"%run '{SCRIPT}' --no-figure --learning-rate 5 --output-dir '{folder}'\n"
                     "print('alive', run.status)\n", encoding="utf-8")
    return ["-m", "IPython", "--no-banner", "--colors=NoColor", lines], ""


def calling(folder):
    program = folder / "program.py"
    program.write_text(f"""
import gc, sys, warnings
sys.path.insert(0, {str(SCRIPT.parent)!r})
import regression
few = 10_000  # some hundred objects are left out when Python 3.12 starts
as_it_is = lambda: (gc.isenabled(), gc.get_freeze_count() < few, gc.get_threshold(), warnings.filters[:])
before = as_it_is()
run = regression.main(["--learning-rate", 5, "--no-figure", "--output-dir", {str(folder)!r}])  # loads TensorFlow
print("goes on", run.status, before == as_it_is())
""", encoding="utf-8")
    return [program], ""


@pytest.fixture(scope="module", autouse=True)
def started(request, tmp_path_factory):
    """The processes of the next tests, which run from this file's first test on: function -> process and its folder."""
    asked, found = {item.originalname for item in request.session.items}, {}
    for each, test in ((interactive, test_under_python_i_the_script_runs_and_leaves_all_alive_as_often_as_one_likes),
                       (debugged, test_under_pdb_the_script_ends_with_its_status_and_the_debugger_goes_on),
                       (ipython, test_ipythons_run_leaves_it_alive_with_the_run_to_go_on_from),
                       (calling, test_a_program_that_calls_main_goes_on_with_its_collector_and_warnings_as_they_were)):
        if test.__name__ in asked:
            folder = tmp_path_factory.mktemp(each.__name__)
            words, typed = each(folder)
            (folder / "typed").write_text(typed, encoding="utf-8")
            with open(folder / "typed", encoding="utf-8") as keyboard:
                found[each] = start([sys.executable, *words], stdin=keyboard,
                                    env={**os.environ, "HOME": str(folder)}), folder
    yield found
    for process_, _ in found.values():
        process_.kill()
        process_.wait()
        process_.stdout.close()
        process_.stderr.close()


def test_under_python_i_the_script_runs_and_leaves_all_alive_as_often_as_one_likes(started):
    script, folder = started[interactive]
    done = end(script)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    said = done.stdout.splitlines()
    assert "ended 1 1 True" in said
    assert f"files {[f'{folder}/{name}' for name in WHOLE[:2]]}" in said
    assert "session [9.804879]" in said
    assert any(line.startswith("<10 steps: x, y, A, loss; the last A is ") for line in said)
    assert "profiled 4" in said
    assert any("function calls" in line for line in said)
    assert "module regression" in said
    assert any(line.startswith("script <4 steps: ") for line in said)


def test_under_pdb_the_script_ends_with_its_status_and_the_debugger_goes_on(started):
    done = end(started[debugged][0])
    assert "The program exited via sys.exit(). Exit status: 1" in done.stdout
    assert "alive" in done.stdout
    assert wrote(done.stdout) == WHOLE[:2]


def test_coverage_measures_the_script_and_ends_with_its_status(tmp_path):
    pytest.importorskip("coverage")
    flags = ["--no-figure", "--learning-rate", 5, "--output-dir", tmp_path]
    done = python("-m", "coverage", "run", "--data-file", tmp_path / "measured", SCRIPT, *flags)
    assert done.returncode == 1
    assert (tmp_path / "measured").stat().st_size > 1000


def test_ipythons_run_leaves_it_alive_with_the_run_to_go_on_from(started):
    pytest.importorskip("IPython")
    done = end(started[ipython][0])
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "alive 1"
    assert one_sentence(done.stderr)


def test_a_program_that_calls_main_goes_on_with_its_collector_and_warnings_as_they_were(started):
    done = end(started[calling][0])
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "goes on 1 True")


def test_in_a_notebook_the_pictures_appear_below_the_cell_and_elsewhere_they_do_not(undrawn, tmp_path, monkeypatch):
    shown, notebook = [], SimpleNamespace(kernel=True)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: notebook))
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(Image=lambda filename: filename,
                                                                         display=shown.append))
    main(tmp_path, "--animate")
    assert shown == [f"{tmp_path}/regression.{kind}" for kind in ("png", "gif")]
    notebook = SimpleNamespace()  # a terminal's
    main(tmp_path)
    notebook = None  # imported, but not running
    main(tmp_path)
    assert len(shown) == 2


@pytest.mark.parametrize(("lines", "printed"), [
    ("run = main()", "begun\n"),
    ("if __name__ == '__main__':\n    run = main()", "begun\n"),
    ("main()", "begun\n"),
    ("run = main()\nprint(run)", "begun\n7\ngone\n"),
    ("print(main())", "begun\n7\ngone\n"),
    ("for number in range(2): run = main()", "begun\nbegun\ngone\n"),
    ("runs = [main() for number in range(2)]", "begun\nbegun\ngone\n"),
    ("with contextlib.closing(sys.stdout): print(main())", "begun\n7\n"),
    ("try:\n    run = main()\nfinally:\n    print('done')", "begun\ndone\ngone\n"),
    ("def start():\n    return main()\nrun = start()", "begun\ngone\n"),
])
def test_a_script_ends_at_once_only_if_nothing_follows_its_run(lines, printed, tmp_path):
    (tmp_path / "program.py").write_text(f"""
import contextlib, sys
sys.path.insert(0, {str(CHECKOUT)!r})
from common.ending import surroundings

class Kept:
    def __del__(self):
        with contextlib.suppress(ValueError):
            print("gone")

def main():
    print("begun")
    surroundings.leave(0, sys._getframe(1))
    return 7

kept = Kept()
{lines}
""", encoding="utf-8")
    done = python(tmp_path / "program.py")
    assert (done.returncode, done.stderr, done.stdout) == (0, "", printed)


def test_only_where_nobody_goes_on_the_status_ends_the_program(monkeypatch):
    surroundings.leave(0, sys._getframe())
    with pytest.raises(SystemExit) as end:
        surroundings.leave(143, sys._getframe())
    assert end.value.code == 143
    monkeypatch.setenv("PYTHONINSPECT", "1")
    surroundings.leave(143, sys._getframe())
    monkeypatch.delenv("PYTHONINSPECT")
    monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)
    surroundings.leave(143, sys._getframe())


# --- everything as it was ---

class Bare:
    """A standard output as an IDE may have it: it can be written, and no more."""

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text
        return len(text)

    def flush(self):
        pass


@pytest.mark.parametrize("stream", [Bare, io.StringIO, lambda: None], ids=["bare", "StringIO", "None"])
def test_it_prints_to_whatever_stands_for_standard_output(stream, tmp_path, monkeypatch):
    tf1.load()  # whose logging keeps the standard error that it finds
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, stream())
    assert main(tmp_path, "--steps", 25, "--no-figure").status == 0
    assert main(tmp_path, "--learning-rate", 5, "--no-figure").status == 1
    assert main(tmp_path, "--runs", 2, "--no-figure").status == 0
    with pytest.raises(SystemExit) as end:
        main(tmp_path, "--steps", 0)
    assert end.value.code == 2
    with pytest.raises(SystemExit) as end:
        main(tmp_path, "--help")
    assert not end.value.code
    printed, errors = (getattr(each, "text", None) if stream is Bare else each and each.getvalue()
                       for each in (sys.stdout, sys.stderr))
    if sys.stdout:
        assert printed.startswith("Step #25 A = [6.5272617]\n")
        assert errors.count("\n") == 2


def test_without_a_standard_error_no_sentence_gets_into_standard_output(tmp_path, monkeypatch, capsys):
    tf1.load()
    monkeypatch.setattr(sys, "stderr", None)
    with pytest.raises(SystemExit):
        main(tmp_path, "--steps", 0)
    main(tmp_path, "--learning-rate", 5, "--no-figure")
    assert {line.split()[0] for line in capsys.readouterr().out.splitlines()} == {"Wrote"}


def as_it_is():
    """What a run must leave as it was."""
    return ([signal.getsignal(number) for number in SIGNALS], gc.isenabled(), gc.get_freeze_count() > 0,
            warnings.filters[:], sys.stdout, sys.stderr, sys.stdout.line_buffering, sys.stdout.errors, os.getcwd(),
            threading.active_count())


@pytest.mark.parametrize("flags", [
    [], ["--steps", 0], ["--learning-rate", 5], ["--runs", 2], ["--trace"], ["--output-dir", "/proc/none"]], ids=str)
def test_signal_handlers_collector_warnings_and_streams_are_as_before_however_it_ends(flags, tmp_path, monkeypatch):
    main(tmp_path, "--steps", 1, "--no-figure")  # loads TensorFlow, which changes some of it for good
    with open(tmp_path / "printed", "w", encoding="ascii", errors="strict") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        before = as_it_is()
        with contextlib.suppress(SystemExit):
            regression.main([*flags, "--no-figure", *([] if "/proc/none" in flags else ["--output-dir", tmp_path])])
        assert as_it_is() == before
        monkeypatch.undo()


def test_main_works_in_a_thread_and_returns_what_it_returns_elsewhere(tmp_path):
    made, before = [], as_it_is()
    thread = threading.Thread(target=lambda: made.extend([
        main(tmp_path / "one", "--no-figure"), main(tmp_path / "many", "--runs", 2, "--no-figure")]))
    thread.start()
    thread.join()
    assert as_it_is() == before
    one, many = made
    assert (one.status, many.status) == (0, 0)
    assert names(tmp_path / "one") == WHOLE[:2]
    assert [row["runs"] for row in many.rows] == [2]


def test_output_that_fails_after_the_run_costs_no_file_and_no_other_status(tmp_path, monkeypatch):
    class Gone(Bare):
        def write(self, text):
            raise OSError(32, "Broken pipe")

    args = SimpleNamespace(name="recipe", output_dir=tmp_path, tensorboard=None, words=[])
    for failed, status in ((False, 141), (True, 7)):
        made = output.Output(args)
        monkeypatch.setattr(sys, "stdout", Gone())
        made.print("a line")
        made.save(".csv", lambda file: file.write(b"whole"))
        if failed:
            made.failed("something else", 7)
        assert made.end() == status
        monkeypatch.undo()
    assert (tmp_path / "recipe.csv").read_bytes() == b"whole"


# --- the machine ---

@pytest.fixture
def copy(tmp_path):
    """A copy of the scripts in a folder whose name has spaces and letters beyond ASCII."""
    checkout = tmp_path / os.fsdecode("Übung für 反向传播".encode())
    for room in ("recipes", "common"):
        shutil.copytree(CHECKOUT / room, checkout / room, ignore=shutil.ignore_patterns("__pycache__"))
    return checkout


def test_without_docstrings_the_help_is_the_same():
    bare = python("-OO", SCRIPT, "--help")
    assert (bare.returncode, bare.stderr) == (0, "")
    assert bare.stdout == python(SCRIPT, "--help").stdout


def test_it_runs_in_an_ascii_locale_without_a_home_a_display_a_network_or_a_writable_checkout_below_any_folder(
        copy, tmp_path):
    (tmp_path / "link.py").symlink_to(copy / "recipes" / "regression.py")
    (tmp_path / "sitecustomize.py").write_text(
        "import os, sys\n"
        "def watch(event, args):\n"
        "    if event in ('socket.connect', 'socket.getaddrinfo', 'socket.sendto'): os.mkdir(os.environ['ASKED'])\n"
        "sys.addaudithook(watch)\n", encoding="ascii")
    (copy / "outputs").mkdir()
    before = sorted(copy.rglob("*"))
    closed = [path for path in (copy, *before) if path != copy / "outputs"]
    for path in closed:
        path.chmod(0o555)
    try:
        done = python("-B", "-W", "error", "link.py", cwd=tmp_path, env={
            **os.environ, "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", "HOME": "/nonexistent",
            "MPLCONFIGDIR": "/nonexistent", "MPLBACKEND": "TkAgg", "DISPLAY": "", "TMPDIR": "/nonexistent",
            "PYTHONPATH": str(tmp_path), "ASKED": str(tmp_path / "asked")})
    finally:
        for path in closed:
            path.chmod(0o755)
    assert (done.returncode, done.stderr) == (0, "")
    assert names(copy / "outputs") == wrote(done.stdout) == WHOLE
    regression.main(["--no-figure", "--output-dir", tmp_path])
    assert (copy / "outputs/regression.csv").read_bytes() == (tmp_path / "regression.csv").read_bytes()
    assert sorted(path for path in copy.rglob("*") if path.parent != copy / "outputs") == before
    assert not (tmp_path / "asked").exists()


# --- TensorFlow, loaded quickly ---

@pytest.mark.parametrize(("version", "accepted"), [
    ("2.9.3", False), ("2.11.1", False), ("2.12.0", True), ("2.100.0", True), ("10.0.0-rc1", True)])
def test_an_old_tensorflow_is_told_by_the_numbers_of_its_version(version, accepted):
    with contextlib.nullcontext() if accepted else pytest.raises(SystemExit, match=f"TensorFlow {version} is older"):
        tf1._check_version(version)


def test_tensorflow_is_loaded_without_keras_3():
    tf1.load()
    assert os.environ["TF_USE_LEGACY_KERAS"] == "1"
    if tuple(map(int, sys.modules["tensorflow"].__version__.split(".")[:2])) >= (2, 16):  # which brought Keras 3
        assert "keras" not in sys.modules


def test_a_session_runs_its_graph_in_the_calling_thread_and_on_the_processor():
    config = tf1.Session()._config
    assert (config.inter_op_parallelism_threads, config.intra_op_parallelism_threads) == (-1, 1)
    assert dict(config.device_count) == {"GPU": 0}
    assert tf1.Session(config=tf1.ConfigProto(inter_op_parallelism_threads=3))._config.inter_op_parallelism_threads == 3
