"""Drivers that hang, work that moves to another card inside a scope, and logs that cannot be written."""

import json
import signal

import pytest

HANGS = """
import os, signal, sys, threading, weir
from weir import _guard, _placement, _torch
def hang():
    with open(os.environ["FAKE_NVML"], "a") as file: file.write("hang\\n")
def works_on(*cards):
    with open(os.environ["FAKE_NVML"], "a") as file:
        for card in cards: file.write(f"process {card} {os.getpid()} 500\\n")
"""
QUICK = HANGS + """
_guard.DRIVER_TIMEOUT_S = _placement.CHECK_TIMEOUT_S = 0.2
"""


def events(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("ends", [
    "weir.gpu_context('x', lease=True)",
    "weir.lease()",
    "weir.gpu_test_cleanup('x')",   # the profile sets the lease
])
def test_work_that_goes_elsewhere_inside_is_found_by_asking_anew(machine, ends):
    code = HANGS + f"""
one = {ends}
def work(): works_on(1)
try:
    if callable(one): one(work)()
    else:
        with one: work()
    print("left without an error")
except weir.PlacementError as e: print("refused:", e)
print(os.environ.get("WEIR_LEASE"))
"""
    (machine.folder / "weir.toml").write_text("allow = '*3090*'\nprofile = 'production'\n")
    ran = machine.script(code)
    refusal = "refused: NVIDIA GeForce RTX 3090 at 0000:02:00.0 is chosen, but the work is elsewhere"
    assert ran.stdout.startswith(refusal), ran.stdout + ran.stderr
    assert "5060 Ti" in ran.stdout and "500 MiB by NVML" in ran.stdout and ran.stdout.endswith("\nNone\n")


def test_work_on_the_leased_card_and_on_none_is_fine_and_an_error_inside_goes_first(machine):
    ran = machine.script(HANGS + """
with weir.gpu_context("none", lease="*3090*"): pass
with weir.lease("*3090*"): works_on(0)
try:
    with weir.lease("*3090*"):
        works_on(1)
        raise ValueError("mine")
except ValueError as e: print(e)
""")
    assert ran.stdout == "mine\n" and "but the work is elsewhere" in ran.stderr, ran.stdout + ran.stderr


@pytest.mark.parametrize("before,lease", [("", "True"), ("weir.select()", "False"), ("weir.select()", "'*3090*'")])
def test_a_scope_ends_when_the_driver_hangs_and_reports_what_is_not_known(machine, before, lease):
    (machine.folder / "weir.toml").write_text("allow = '*3090*'\n")
    ran = machine.script(QUICK + before + f"""
with weir.gpu_context("x", lease={lease}) as d: hang()
print("left", os.environ.get("WEIR_LEASE"), flush=True)
report = weir.leak_report()
""", WEIR_LOG="log.jsonl")
    assert ran.stdout == "left None\n" and ran.returncode == 0, ran.stdout + ran.stderr
    unknown = [e for e in events(machine.folder / "log.jsonl") if e["event"] == "unknown"]
    assert unknown and all(e["level"] == "warning" and e["what"] for e in unknown), unknown
    texts = " | ".join(e["what"] for e in unknown)
    if before:
        assert "NVML does not answer" in texts and "not known: in scope 'x' NVML does not answer" in ran.stderr
    if lease != "False":
        assert "whether the work is on NVIDIA GeForce RTX 3090: the driver does not answer within 0.2 s" in texts
        assert "whether the work is on NVIDIA GeForce RTX 3090" in ran.stderr


@pytest.mark.parametrize("before,lease", [("", "True"), ("weir.select()", "False")])
def test_an_interrupt_ends_a_scope_whose_driver_hangs(machine, before, lease):
    (machine.folder / "weir.toml").write_text("allow = '*3090*'\n")
    code = HANGS + before + f"""
_guard.DRIVER_TIMEOUT_S = _placement.CHECK_TIMEOUT_S = 3600.0
scope = weir.gpu_context("x", lease={lease})
scope.__enter__()
hang()
original = _torch.run_with_timeout
def run_and_print(*arguments):
    print("hangs", flush=True) if arguments[0] == 3600.0 or arguments[0] == 3 * 3600.0 else None
    return original(*arguments)
_torch.run_with_timeout = run_and_print
try:
    scope.__exit__(None, None, None)
    print("left")
except KeyboardInterrupt: print("interrupted", os.environ.get("WEIR_LEASE"), flush=True)
with weir._scope_lock.scope_lock._lock: print(weir._scope_lock.scope_lock._owner, flush=True)
"""
    one = machine.start("import faulthandler; faulthandler.dump_traceback_later(200, exit=True)\n" + code,
                        WEIR_LOG="log.jsonl")
    assert one.stdout.readline() == "hangs\n"
    one.send_signal(signal.SIGINT)
    assert one.stdout.readline() == "interrupted None\n"
    assert one.stdout.readline() == "(0, frozenset())\n"
    assert one.wait(60) == 0
    unknown = [e for e in events(machine.folder / "log.jsonl") if e["event"] == "unknown"]
    assert len(unknown) == 1 and "KeyboardInterrupt" in unknown[0]["what"] and unknown[0]["scope"] == "x", unknown


def test_a_driver_that_hangs_before_the_first_scope_is_reported_too(machine):
    ran = machine.script(QUICK + """
weir.select("*3090*")
hang()
with weir.gpu_context("x"): pass
weir.set_baseline()
print("left")
""")
    assert ran.stdout == "left\n" and "in scope 'x' NVML does not answer" in ran.stderr, ran.stdout + ran.stderr


def test_a_torch_that_hangs_holds_up_no_scope(machine):
    ran = machine.script(HANGS + """
import types
from weir import _cleanup
_cleanup.SYNC_TIMEOUT_S = _torch.DRIVER_TIMEOUT_S = 0.2
torch, never = types.ModuleType("torch"), threading.Event()
asked = []
def hangs(*_): asked.append(1); never.wait()
torch.cuda = types.SimpleNamespace(
    is_initialized=lambda: True, is_available=lambda: True, device_count=lambda: 1,
    mem_get_info=lambda: (1 << 30, 2 << 30), synchronize=lambda: None, empty_cache=hangs,
    reset_peak_memory_stats=lambda: None,
    **{peak + name: lambda i=0: 0 for peak in ("", "max_") for name in ("memory_allocated", "memory_reserved")})
sys.modules["torch"] = torch
with weir.gpu_context("x"): pass
print(len(asked))
torch.cuda.synchronize = torch.cuda.mem_get_info = hangs
scope = weir.gpu_context("y")
try: scope.__enter__()
except TimeoutError as e: print(e)
print(weir.clean_up(), len(asked))
""")
    assert ran.stdout == ("1\nthe driver does not answer within 0.2 s\n"
                          "['synchronise: the device is not done after 0.2 s'] 3\n"), ran.stdout + ran.stderr


def test_a_log_that_cannot_be_written_is_reported_once(machine):
    code = """
import weir
{first}
for _ in range(3):
    with weir.gpu_context("x"): pass
assert weir.validate_no_memory_leak()
print("done")
"""
    for first, environment in (("weir.log_to('/dev/full')", {}), ("", {"WEIR_LOG": "/dev/full"})):
        ran = machine.script(code.format(first=first), **environment)
        assert ran.stdout == "done\n", ran.stderr
        assert ran.stderr.count("/dev/full: cannot be written: No space left on device") == 1, ran.stderr


def test_each_side_that_grew_is_named(machine):
    ran = machine.script("""
import os, weir
def device(mb):
    with open(os.environ["FAKE_NVML"]) as file: lines = [line for line in file if not line.startswith("process")]
    with open("new", "w") as file: file.writelines(lines + [f"process 0 {os.getpid()} {mb}\\n"])
    os.rename("new", os.environ["FAKE_NVML"])
device(300)
weir.select("*3090*")
scope = weir.gpu_context("s")
with scope:
    kept = bytearray(b"x" * (200 << 20))
    device(450)
print(scope.result["evidence"])
""")
    for part in ("malloc +200", "resident memory +200", "NVML +150 MiB"):
        assert part in ran.stdout, ran.stdout + ran.stderr
    assert "NVML +150 MiB" in ran.stderr, "the warning names it too"
