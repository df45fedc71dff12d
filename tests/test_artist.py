"""The process that draws: where it fails, that costs the pictures and nothing else."""

import signal
from unittest.mock import Mock

import pytest
import regression
from conftest import FILES, at_call, names, one_sentence, wrote

from common.pictures import artist


def draw(folder, *flags):
    return regression.main(["--output-dir", folder, *flags])


@pytest.mark.parametrize(("module", "code", "says"), [
    ("matplotlib", "raise ModuleNotFoundError('no matplotlib')", "ModuleNotFoundError: no matplotlib"),
    ("sitecustomize", "print('hello', flush=True)", "its process was stopped"),  # between the pictures
    ("sitecustomize", "print('cos\\nnone\\n.', flush=True)", "its process was stopped"),  # which pickle looks up
    ("sitecustomize", "import os; os.write(1, b'\\x80\\x04'); os._exit(0)", "its process was stopped"),
])
def test_a_process_that_gives_no_picture_costs_only_the_picture(module, code, says, tmp_path, monkeypatch, capsys):
    (tmp_path / f"{module}.py").write_text(code, encoding="ascii")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    log = draw(tmp_path / "out", "--animate")  # the second picture must not wait for ever
    assert (log.status, len(log), names(tmp_path / "out")) == (1, 100, FILES)
    errors = capsys.readouterr().err
    assert errors == f"regression.py: the picture cannot be drawn ({says}); --no-figure leaves it out.\n"  # said once


def test_a_process_that_is_killed_keeps_the_pictures_that_it_drew(tmp_path, monkeypatch, capsys):
    drawing, load = [], artist.pickle.load

    def second(file):
        drawn = load(file)
        drawing[0].kill()
        return drawn

    def keep(*words, popen=artist.subprocess.Popen, **options):
        drawing.append(popen(*words, **options))
        return drawing[0]

    monkeypatch.setattr(artist.subprocess, "Popen", keep)
    monkeypatch.setattr(artist.pickle, "load", second)
    assert draw(tmp_path, "--animate").status == 1
    assert names(tmp_path) == [*FILES, "regression.png"]
    assert "its process was stopped" in capsys.readouterr().err


def test_a_signal_while_the_picture_is_drawn_leaves_the_picture_out(tmp_path, monkeypatch, capsys):
    at_call(monkeypatch, artist.pickle, "load", 1, lambda: signal.raise_signal(signal.SIGTERM))
    assert draw(tmp_path).status == 128 + signal.SIGTERM
    printed, errors = capsys.readouterr()
    assert one_sentence(errors)
    assert "stopped by SIGTERM; what is not named as written is not written" in errors
    assert names(tmp_path) == wrote(printed) == FILES


def test_no_process_is_left_behind_however_a_run_ends(tmp_path, monkeypatch):
    started, popen = [], artist.subprocess.Popen

    def keep(*words, **options):
        started.append(popen(*words, **options))
        return started[-1]

    monkeypatch.setattr(artist.subprocess, "Popen", keep)
    draw(tmp_path)
    at_call(monkeypatch, artist.pickle, "load", 1, lambda: signal.raise_signal(signal.SIGINT))
    draw(tmp_path)
    monkeypatch.setattr(regression.np.random, "seed", Mock(side_effect=ZeroDivisionError))
    with pytest.raises(ZeroDivisionError):
        draw(tmp_path)
    assert len(started) == 3
    assert all(each.returncode is not None for each in started)
