"""The pytest plugin, run like a user runs it."""

import importlib.util
import sys

import pytest

SUITE = """
import pytest
kept = []

def test_clean():
    pass

@pytest.mark.gpu("*3090*")
def test_on_the_gpu():
    import os
    assert os.environ["CUDA_VISIBLE_DEVICES"].startswith("GPU-aaaa")
    assert "WEIR_LEASE" in os.environ

def test_leaks_first():
    kept.append(bytearray(b"x" * (150 << 20)))

def test_leaks_second():
    kept.append(bytearray(b"x" * (150 << 20)))

@pytest.mark.gpu("*4090*")
def test_for_another_card():
    assert False
"""


def run_suite(machine, suite, *arguments):
    (machine.folder / "test_suite.py").write_text(suite)
    return machine.run([sys.executable, "-m", "pytest", "-p", "weir.pytest_plugin", "-p", "no:cacheprovider", "-rs",
                        "test_suite.py", *arguments])


def test_leaks_are_named_and_the_first_one_first(machine):
    ran = run_suite(machine, SUITE, "--weir")
    assert ran.returncode == 1, ran.stdout
    assert "first: test_suite.py::test_leaks_first" in ran.stdout, ran.stdout
    assert "test_leaks_second" in ran.stdout
    assert "LeakError: test_suite.py::test_leaks_first kept 15" in ran.stdout, ran.stdout
    assert "AttributeError" not in ran.stdout, "whatever pluggy's release"
    assert "4 passed, 1 skipped, 2 errors" in ran.stdout, ran.stdout
    assert "not asked for" in ran.stdout, "the skip says why"


def test_the_limit_can_be_raised(machine):
    ran = run_suite(machine, SUITE, "--weir", "--weir-max-leak", "1G")
    assert ran.returncode == 0, ran.stdout


def test_without_the_flag_nothing_is_done(machine):
    ran = run_suite(machine, "def test_one(): pass\n")
    assert ran.returncode == 0 and "weir" not in ran.stdout


def test_a_wrong_limit_is_a_usage_error(machine):
    ran = run_suite(machine, SUITE, "--weir", "--weir-max-leak", "much")
    assert ran.returncode == 4 and "'much' is not a size" in ran.stderr + ran.stdout


def test_a_limit_without_a_unit_is_a_usage_error(machine):
    ran = run_suite(machine, SUITE, "--weir", "--weir-max-leak", "100")
    assert ran.returncode == 4 and "--weir-max-leak: 100 what?" in ran.stderr + ran.stdout


def test_a_gpu_test_in_a_process_that_works_elsewhere_fails(machine):
    suite = """
import os, pytest
@pytest.mark.gpu("*3090*")
def test_goes_elsewhere():
    with open(os.environ["FAKE_NVML"], "a") as file: file.write(f"process 1 {os.getpid()} 400\\n")
@pytest.mark.gpu("*3090*")
def test_next(): pass
def test_without_a_gpu(): pass
"""
    ran = run_suite(machine, suite, "--weir")
    assert "2 passed, 2 errors" in ran.stdout, ran.stdout
    assert "is chosen, but the work is elsewhere" in ran.stdout, "the test that went there fails at its own end"
    assert "no lease: this process has used a GPU already" in ran.stdout and "5060" in ran.stdout, ran.stdout


def test_a_session_lease_is_held_throughout(machine):
    suite = """
import os, pytest
leases = []
@pytest.mark.gpu
@pytest.mark.parametrize("i", range(3))
def test_one(i):
    leases.append(os.environ["WEIR_LEASE"])
    assert len(set(leases)) == 1
"""
    ran = run_suite(machine, suite, "--weir", "--weir-lease", "session")
    assert ran.returncode == 0, ran.stdout


FOR_THREE_CARDS = """
import os, pytest
def on_the_3090(): assert os.environ["CUDA_VISIBLE_DEVICES"].startswith("GPU-aaaa")
@pytest.mark.gpu("*5060*")
def test_denied(): assert False
@pytest.mark.gpu("*nosuch*")
def test_of_no_card(): assert False
@pytest.mark.gpu("*3090*")
def test_named(): on_the_3090()
@pytest.mark.gpu
def test_any(): on_the_3090()
@pytest.mark.gpu(5)
def test_of_a_number(): assert False
@pytest.mark.gpu(["*3090*", "*4090*"])
def test_of_a_list(): on_the_3090()
"""


@pytest.mark.parametrize("order", [[], ["test_any", "test_denied", "test_of_no_card", "test_of_a_number", "test_named",
                                        "test_of_a_list"]])
def test_under_a_session_lease_the_order_changes_no_skip(machine, order):
    (machine.folder / "test_suite.py").write_text(FOR_THREE_CARDS)
    (machine.folder / "weir.toml").write_text('allow = "*RTX 3090*"\ndeny = "*RTX 5060 Ti*"\n')
    ran = machine.run([sys.executable, "-m", "pytest", "-p", "weir.pytest_plugin", "-p", "no:cacheprovider", "-rs",
                       "--weir", "--weir-lease", "session",
                       *([f"test_suite.py::{name}" for name in order] or ["test_suite.py"])])
    assert "3 passed, 3 skipped" in ran.stdout, ran.stdout
    assert "nosuch" in ran.stdout or "not asked for" in ran.stdout, "the skips say why"


def test_a_session_lease_of_another_allowed_card_is_no_reason_to_run(machine):
    suite = """
import pytest
@pytest.mark.gpu("*5060*")
def test_first(): pass
@pytest.mark.gpu("*3090*")
def test_second(): assert False
"""
    ran = run_suite(machine, suite, "--weir", "--weir-lease", "session")
    assert "1 passed, 1 skipped" in ran.stdout, ran.stdout
    assert "the session's lease is of NVIDIA GeForce RTX 5060 Ti" in ran.stdout, ran.stdout


def test_the_wait_has_a_unit(machine):
    suite = "import pytest\n@pytest.mark.gpu\ndef test_one(): pass\n"
    assert run_suite(machine, suite, "--weir", "--weir-wait", "10m").returncode == 0
    assert run_suite(machine, suite, "--weir", "--weir-wait", "10").returncode == 0
    ran = run_suite(machine, suite, "--weir", "--weir-wait", "soon")
    assert ran.returncode == 4 and "--weir-wait: " in ran.stderr + ran.stdout and "soon" in ran.stderr + ran.stdout


def test_under_the_profile_dev_no_lease_is_taken(machine):
    suite = """
import os, pytest
@pytest.mark.gpu
def test_one(): assert "WEIR_LEASE" not in os.environ
"""
    assert run_suite(machine, suite, "--weir").returncode == 1
    (machine.folder / "weir.toml").write_text('profile = "dev"\n')
    ran = run_suite(machine, suite, "--weir")
    assert ran.returncode == 0, ran.stdout
    assert run_suite(machine, suite, "--weir", "--weir-lease", "test").returncode == 1


@pytest.mark.skipif(importlib.util.find_spec("xdist") is None, reason="no pytest-xdist")
def test_under_xdist_one_test_at_a_time_is_on_the_gpu(machine):
    suite = """
import os, pathlib, time, pytest
inside = pathlib.Path("inside")
kept = []
@pytest.mark.gpu("*3090*")
@pytest.mark.parametrize("i", range(12))
def test_one(i):
    fd = os.open(inside, os.O_CREAT | os.O_EXCL)  # fails if another test is inside
    time.sleep(0.02)
    os.close(fd)
    inside.unlink()
def test_leaks():
    kept.append(bytearray(b"x" * (150 << 20)))
"""
    ran = run_suite(machine, suite, "--weir", "-n", "4")
    assert "13 passed, 1 error" in ran.stdout, ran.stdout
    assert "first: test_suite.py::test_leaks" in ran.stdout, ran.stdout
