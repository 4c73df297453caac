"""Scopes and verdicts, in this process."""

import json
import pathlib
import subprocess
import sys
import sysconfig
import threading

import pytest

import weir
from weir import _sizes


@pytest.fixture(autouse=True)
def fresh_baseline():
    weir.set_baseline()


def product(size):
    """Computes a matrix product with numpy, since the package needs no torch."""
    numpy = pytest.importorskip("numpy")
    a = numpy.ones((size, size), dtype="float32")
    return float((a @ a).sum())


def test_ten_contexts_with_a_product_drift_less_than_fifty_megabytes():
    for i in range(10):
        with weir.gpu_context(f"loop {i}"):
            product(1000)
        assert weir.validate_no_memory_leak(), weir.leak_report()["text"]
    assert abs(weir.leak_report()["drift"]) < 50 << 20


def test_ten_contexts_with_torch_on_the_cpu():
    torch = pytest.importorskip("torch")
    weir.set_baseline()
    for i in range(10):
        with weir.gpu_context(f"torch {i}"):
            (torch.ones(1000, 1000) @ torch.ones(1000, 1000)).sum().item()
        assert weir.validate_no_memory_leak(), weir.leak_report()["text"]


def test_stats_have_their_keys():
    stats = weir.memory_stats()
    for key in ("allocated", "reserved", "max_allocated", "max_reserved", "total", "free", "utilization_pct",
                "fragmentation", "fragmentation_pct"):
        assert key in stats
    assert stats["fragmentation"] == stats["reserved"] - stats["allocated"]


def test_stats_in_gib_have_the_names_that_scripts_use(machine):
    code = FAKE_TORCH + """
import json, weir
print(json.dumps([weir.memory_stats(), weir.get_memory_stats()]))
"""
    ran = machine.script(code)
    stats, in_gb = json.loads(ran.stdout)
    assert in_gb == {
        "allocated_gb": 1.0, "reserved_gb": 4.0, "max_allocated_gb": 1.0, "max_reserved_gb": 4.0, "total_gb": 24.0,
        "free_gb": 12.0, "utilization_pct": 50.0, "potential_fragmentation_gb": 3.0, "fragmentation_pct": 12.5,
        "reserved_vs_allocated_ratio": 4.0}
    assert stats["total"] == 24 << 30
    here = weir.get_memory_stats()  # figures of the process, since this test uses no GPU
    assert list(here) == list(in_gb) and all(isinstance(value, (int, float)) for value in here.values())
    assert 0 < here["allocated_gb"] <= here["max_reserved_gb"] < 1024


def test_the_verdict_names_its_card_and_limits(machine):
    report = weir.leak_report()
    assert report["device"] is None and report["limits"] == {"scope_bytes": 100 << 20, "drift_bytes": 50 << 20}
    ran = machine.script("""
import datetime, weir
weir.select("*3090*")
with weir.gpu_context("step"): pass
report = weir.leak_report()
assert report["device"] == {"name": "NVIDIA GeForce RTX 3090", "uuid": "GPU-aaaa0000-1111-2222-3333-444455556666",
                            "pci": "0000:02:00.0"}, report
assert report["version"] == weir.__version__
age = datetime.datetime.now(datetime.timezone.utc) - datetime.datetime.fromisoformat(report["date"])
assert abs(age.total_seconds()) < 600
for part in ("RTX 3090", "GPU-aaaa0000", "100 MiB a scope, 50 MiB in all", "weir " + weir.__version__, report["date"]):
    assert part in report["text"], (part, report["text"])
print("done")
""")
    assert ran.stdout == "done\n", ran.stderr


@pytest.mark.parametrize("text,size", [("100M", 100 << 20), ("1.5GiB", 3 << 29), ("3 MB", 3_000_000), ("4096B", 4096),
                                       ("0", 0), (0, 0), (100 << 20, 100 << 20)])
def test_one_rule_for_sizes(text, size):
    assert _sizes.parse_size(text) == size


@pytest.mark.parametrize("text", ["100", "5", "1.5", "", "much", "-1M", 100, 5, -1, 1.5, True, None, 1 << 70])
def test_one_rule_for_invalid_sizes(text):
    with pytest.raises(weir.WeirError, match="what\\?|is not a size"):
        _sizes.parse_size(text)


def test_one_rule_for_every_way_to_write_a_threshold(machine):
    ask = "import weir\nwith weir.lease({policy!r}, wait=0) as d: print(d.name)"
    refused = [
        ({"policy": {"min_memory": "20"}}, {}, ""),
        ({"policy": {"min_memory": 20}}, {}, ""),
        ({"policy": None}, {"WEIR_MIN_MEMORY": "20"}, ""),
        ({"policy": None}, {}, "min-memory = 20\n"),
        ({"policy": None}, {}, "min-memory = '20'\n"),
    ]
    for arguments, environment, settings in refused:
        (machine.folder / "weir.toml").write_text(settings)
        ran = machine.script(ask.format(**arguments), **environment)
        assert "20 what? " in ran.stderr, (arguments, environment, settings, ran.stdout, ran.stderr)
    (machine.folder / "weir.toml").write_text("")
    for policy in ({"min_memory": "20G"}, {"min_memory": 20 << 30}):
        ran = machine.script(ask.format(policy=policy))
        assert ran.stdout == "NVIDIA GeForce RTX 3090\n", ran.stderr
    for max_leak in (100, "100"):
        with pytest.raises(weir.WeirError, match="100 what"):
            weir.gpu_context("x", max_leak=max_leak)
    with weir.gpu_context("x", max_leak="100M"):
        pass


def test_planted_memory_raises_an_alarm_and_fails_the_run():
    kept = []
    with weir.gpu_context("planted") as device:
        assert device == "cpu" or device.startswith("cuda")
        kept.append(bytearray(b"x" * (150 << 20)))
    report = weir.leak_report()
    assert not report["passed"] and report["first_leak"] == "planted"
    assert not weir.validate_no_memory_leak()
    with pytest.raises(weir.LeakError, match="scope 'again' kept 15"):
        with weir.gpu_context("again", max_leak=100 << 20):
            kept.append(bytearray(b"x" * (150 << 20)))


def test_a_leak_of_a_c_extension_is_found(tmp_path):
    source = tmp_path / "leaky.c"
    source.write_text("""
#include <Python.h>
#include <string.h>
static PyObject *leak(PyObject *self, PyObject *size) {
  size_t bytes = PyLong_AsSize_t(size);
  void *block = malloc(bytes);
  if (block) memset(block, 1, bytes);
  Py_RETURN_NONE;
}
static PyMethodDef methods[] = {{"leak", leak, METH_O, ""}, {0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "leaky", 0, -1, methods};
PyMODINIT_FUNC PyInit_leaky(void) { return PyModule_Create(&module); }
""")
    include = sysconfig.get_paths()["include"]
    built = subprocess.run(["cc", "-shared", "-fPIC", f"-I{include}", str(source), "-o", str(tmp_path / "leaky.so")])
    if built.returncode != 0:
        pytest.skip("no C compiler or no Python headers")
    sys.path.insert(0, str(tmp_path))
    try:
        import leaky
    finally:
        sys.path.pop(0)
    for _ in range(2):
        scope = weir.gpu_context("extension")
        with scope:
            leaky.leak(120 << 20)
    assert scope.result["verdict"] == "leak" and scope.result["confirmed"]


def test_an_error_is_raised_again_with_its_own_traceback_and_its_frames_are_cleared():
    def fails():
        big = bytearray(200 << 20)
        raise KeyError(len(big))

    scope = weir.gpu_context("error")
    with pytest.raises(KeyError) as caught:
        with scope:
            fails()
    assert caught.traceback[-1].name == "fails"
    assert scope.result["verdict"] == "clean", "the frame of fails() held 200 MiB"


def test_the_decorators_keep_names_and_results():
    @weir.gpu_test_cleanup("named")
    def one(x):
        "doc"
        return x + 1

    @weir.gpu_test_cleanup
    def two():
        return 2

    @weir.gpu_memory_monitor(threshold_gb=0.5)
    def three():
        return 3

    assert (one(1), two(), three()) == (2, 2, 3)
    assert one.__name__ == "one" and one.__doc__ == "doc"


def test_the_monitor_warns(caplog):
    @weir.gpu_memory_monitor(threshold_gb=0.05)
    def big():
        return len(bytearray(b"y" * (300 << 20)))

    assert big() == 300 << 20
    assert "memory_threshold_exceeded" in caplog.text


@pytest.mark.parametrize("threshold", ["1", "much", "", float("nan"), float("inf"), -1, -0.5, True, None, [1], 1 << 40])
def test_an_invalid_threshold_is_refused_before_the_function_runs(threshold):
    ran = []
    with pytest.raises(weir.WeirError, match="threshold_gb|what\\?|is not a size"):
        weir.gpu_memory_monitor(threshold_gb=threshold)(lambda: ran.append(1))()
    assert not ran


def test_a_threshold_is_a_size_too(caplog):
    @weir.gpu_memory_monitor(threshold_gb="50M")
    def big():
        return len(bytearray(b"y" * (300 << 20)))

    @weir.gpu_memory_monitor
    def small():
        return 1

    assert big() == 300 << 20 and small() == 1
    assert caplog.text.count("memory_threshold_exceeded") == 1 and "threshold 0.0488281 GiB" in caplog.text


@pytest.mark.parametrize("wait", ["10m", "0.5s", 600, 0.0, 123_456.789, "30"])
def test_a_lease_accepts_every_spelling_of_the_wait(machine, wait):
    ran = machine.script(f"import weir\nwith weir.lease('*3090*', wait={wait!r}): print('leased')\n"
                         f"with weir.lease({{'device': '*3090*', 'wait': {wait!r}}}): print('leased')")
    assert ran.stdout == "leased\n" * 2, ran.stderr


@pytest.mark.parametrize("policy", [
    {"slots": True}, {"slots": False}, {"slots": 1.5}, {"slots": "many"}, {"wait": True}, {"wait": float("nan")},
    {"wait": float("inf")}, {"wait": -1}, {"wait": "soon"}, {"wait": [1]}, {"job": True}, {"need": True},
    {"strict_device": "x"}, {"prefer": object()}, {"device": 5.5}, {"no_such": 1}])
def test_an_invalid_policy_is_refused_with_its_key(policy):
    name = next(iter(policy))
    with pytest.raises(weir.WeirError) as refused:
        weir.lease(**policy).__enter__()
    assert name.replace("_", "-") in str(refused.value).replace("_", "-") or name == "device", refused.value


def test_one_thread_at_a_time():
    inside = []
    most = []

    def work(name):
        with weir.gpu_context(name):
            inside.append(name)
            most.append(len(inside))
            inside.remove(name)

    threads = [threading.Thread(target=work, args=(f"t{i}",)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(most) == 8 and max(most) == 1


def test_the_emergency_reset_reports_the_memory_that_is_left():
    report = weir.emergency_gpu_reset()
    assert "restart" in report["advice"] and report["reserved"] > 0


def events(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


FAKE_TORCH = """
import sys, types
state = {"allocated": 1 << 30, "reserved": 4 << 30}
torch = types.ModuleType("torch")
torch.cuda = types.SimpleNamespace(
    is_initialized=lambda: True, is_available=lambda: True, device_count=lambda: 1, synchronize=lambda: None,
    get_device_properties=lambda i: types.SimpleNamespace(uuid="aaaa0000-1111-2222-3333-444455556666"),
    empty_cache=lambda: None, reset_peak_memory_stats=lambda: None, mem_get_info=lambda: (12 << 30, 24 << 30),
    memory_allocated=lambda i=0: state["allocated"], memory_reserved=lambda: state["reserved"],
    max_memory_allocated=lambda: state["allocated"], max_memory_reserved=lambda: state["reserved"])
sys.modules["torch"] = torch
"""


def test_the_log_has_the_results_of_scopes(machine):
    code = """
import weir
weir.log_to("log.jsonl")
with weir.gpu_context("clean"): pass
try:
    with weir.gpu_context("fails"): raise ValueError("no such thing")
except ValueError: pass
kept = []
for _ in range(2):
    with weir.gpu_context("keeps"): kept.append(bytearray(b"x" * (150 << 20)))
@weir.gpu_memory_monitor(threshold_gb=0.05)
def big(): return len(bytearray(b"y" * (300 << 20)))
big()
weir.validate_no_memory_leak()
print(repr(weir.metrics()))
"""
    ran = machine.script(code)
    assert ran.stdout == "''\n", ran.stderr  # no scope was on a GPU
    log = events(machine.folder / "log.jsonl")
    logged = [(e["event"], e["level"]) for e in log]
    assert logged == [
        ("test_complete", "info"), ("test_complete", "info"), ("error", "error"),
        ("test_complete", "info"), ("memory_leak_warning", "warning"),
        ("test_complete", "info"), ("memory_leak_warning", "warning"), ("emergency_reset", "warning"),
        ("memory_threshold_exceeded", "warning"), ("memory_leak_validation", "warning")], logged
    assert log[2]["scope"] == "fails" and log[2]["what"] == "ValueError: no such thing"
    assert log[6]["verdict"] == "leak" and log[6]["leak_bytes"] > 100 << 20
    assert log[8]["scope"] == "big" and log[8]["took_bytes"] > log[8]["threshold_bytes"]


def test_fragmentation_and_the_metrics_of_a_gpu(machine):
    code = FAKE_TORCH + """
import weir
with weir.gpu_context("loose"): pass
state["reserved"] = state["allocated"] + 1
with weir.gpu_context("tight"): pass
print(weir.metrics("metrics.prom"), end="")
def hangs(): raise OSError("lost")
torch.cuda.synchronize = hangs
weir.emergency_gpu_reset()
"""
    ran = machine.script(code, WEIR_LOG="log.jsonl")
    assert ran.returncode == 0, ran.stderr
    log = events(machine.folder / "log.jsonl")
    assert [e["event"] for e in log] == ["test_complete", "fragmentation_warning", "test_complete",
                                         "emergency_reset_failed"]
    assert log[1]["scope"] == "loose" and log[1]["fragmentation_bytes"] == 3 << 30
    assert "synchronise: lost" in log[3]["problems"]
    assert 'gpu_memory_allocated_bytes{device="cuda:0"} 1073741824\n' in ran.stdout
    assert 'gpu_utilization_percent{device="cuda:0"} 50\n' in ran.stdout
    for name in ("gpu_memory_leak_bytes", "gpu_fragmentation_percent", "gpu_timestamp_seconds"):
        assert name + '{device="cuda:0"}' in ran.stdout
    assert (machine.folder / "metrics.prom").read_text() == ran.stdout


def test_the_clean_up_has_its_order_and_always_runs(machine):
    code = FAKE_TORCH + """
import gc, weakref, weir
class Tensor: pass
order, wait = [], []
for name in ("synchronize", "empty_cache", "reset_peak_memory_stats"):
    setattr(torch.cuda, name, lambda name=name: order.append(name))
def kept(): order.append("garbage")
def work():
    loop = Tensor(); loop.itself = loop
    weakref.finalize(loop, kept).atexit = False
    raise ValueError("mine")
gc.disable()
try:
    with weir.gpu_context("fails"): work()
except ValueError as error: print(error, order)
def lost(): raise OSError("lost")
torch.cuda.synchronize = lost
order.clear()
with weir.gpu_context("the device is lost"): pass
print(order)
"""
    ran = machine.script(code)
    assert ran.stdout == ("mine ['garbage', 'synchronize', 'empty_cache', 'reset_peak_memory_stats']\n"
                          "['empty_cache', 'reset_peak_memory_stats']\n"), ran.stdout + ran.stderr


def test_the_profile_sets_log_lease_and_fragmentation(machine):
    code = FAKE_TORCH + """
import weir
with weir.gpu_context("step"): print("WEIR_LEASE" in os.environ)
"""
    code = "import os" + code.replace('"reserved": 4 << 30', '"reserved": 7 << 28')  # 0.75 GiB more than allocated
    log = machine.folder / "state/weir/events.jsonl"
    ran = machine.script(code)
    assert ran.stdout == "False\n" and not log.exists(), ran.stderr
    (machine.folder / "weir.toml").write_text('profile = "dev"\n')
    ran = machine.script(code)
    assert ran.stdout == "False\n", ran.stderr
    assert [e["event"] for e in events(log)] == ["test_complete"]
    (machine.folder / "weir.toml").write_text('profile = "production"\n')
    ran = machine.script(code)
    assert ran.stdout == "True\n", ran.stderr
    assert [e["event"] for e in events(log)] == ["test_complete", "test_complete"]
    ran = machine.script(code, WEIR_PROFILE="ci", WEIR_LOG="ci.jsonl")
    assert ran.stdout == "True\n", ran.stderr
    ci_log = events(machine.folder / "ci.jsonl")
    assert [e["event"] for e in ci_log] == ["test_complete", "fragmentation_warning"] and len(events(log)) == 2
    assert ci_log[1]["threshold_bytes"] == 1 << 29
    ran = machine.script("import weir; weir.gpu_context('x')", WEIR_PROFILE="prod")
    assert "PolicyError: WEIR_PROFILE: 'prod' is none of dev, ci and production" in ran.stderr


def test_a_log_that_cannot_be_written_is_an_error(machine):
    ran = machine.script("import weir; weir.log_to('/no/such/folder/log')")
    assert "WeirError: /no/such/folder/log: cannot be written: No such file or directory" in ran.stderr
    ran = machine.script("import weir; print(weir.memory_stats()['device'])", WEIR_LOG="/no/such/folder/log")
    assert ran.stdout == "host\n" and "the log: /no/such/folder/log: cannot be written" in ran.stderr


def test_a_deadline_works_in_any_thread():
    from weir import _torch

    results = []
    never = threading.Event()
    thread = threading.Thread(target=lambda: results.append(_torch.run_with_timeout(0.05, never.wait)))
    thread.start()
    thread.join(60)
    never.set()
    assert results == [False]


def test_the_wheel_is_installable(tmp_path):
    root = pathlib.Path(weir.__file__).parents[1]
    maker = pathlib.Path(__file__).parents[1] / "make_wheel.py"
    made = subprocess.run([sys.executable, str(maker), str(root), "0.1.0", str(tmp_path)], text=True,
                          capture_output=True)
    assert made.returncode == 0, made.stderr
    wheel = pathlib.Path(made.stdout.strip())
    sys_path = f"import sys, zipfile; zipfile.ZipFile({str(wheel)!r}).extractall({str(tmp_path / 'site')!r})"
    code = f"{sys_path}; sys.path.insert(0, {str(tmp_path / 'site')!r}); import weir; print(weir.__file__)"
    ran = subprocess.run([sys.executable, "-S", "-c", code], text=True, capture_output=True, env={"PATH": "/usr/bin"})
    assert str(tmp_path) in ran.stdout, ran.stderr
