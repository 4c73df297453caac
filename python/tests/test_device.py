"""Selection, leases and placement checks on a fake machine."""

import os
import sys


def test_select_sets_the_masks(machine):
    (machine.folder / "weir.toml").write_text("allow = '*RTX 3090*'\ndeny = '*5060*'\nmin-memory = '20G'\n")
    ran = machine.script(
        "import os, weir; d = weir.select(); print(d.name, os.environ['CUDA_VISIBLE_DEVICES'], "
        "os.environ['CUDA_DEVICE_ORDER'])")
    assert ran.stdout == "NVIDIA GeForce RTX 3090 GPU-aaaa0000-1111-2222-3333-444455556666 PCI_BUS_ID\n", ran.stderr


def test_select_reports_why_no_device_is_allowed(machine):
    ran = machine.script("import weir\ntry: weir.select('*4090*')\nexcept weir.PolicyError as e: print(e)")
    assert "NVIDIA GeForce RTX 3090 at 0000:02:00.0: not asked for" in ran.stdout, ran.stderr


def test_select_refuses_when_a_driver_was_called(machine):
    code = """
import sys, types, weir
torch = types.ModuleType("torch")
torch.cuda = types.SimpleNamespace(is_initialized=lambda: True)
sys.modules["torch"] = torch
try: weir.select("*3090*")
except weir.TooLateError as e: print(e)
"""
    ran = machine.script(code)
    assert "torch has a CUDA context" in ran.stdout and "top of the script" in ran.stdout, ran.stderr


def test_verify_needs_both_variables(machine):
    code = """
import weir
try: print(weir.verify("*3090*").outcome)
except weir.WeirError as e: print(type(e).__name__, e)
"""
    uuid = "GPU-aaaa0000-1111-2222-3333-444455556666"
    cases = [
        ({}, "CUDA_VISIBLE_DEVICES is not set"),
        ({"CUDA_VISIBLE_DEVICES": uuid}, "CUDA_DEVICE_ORDER is not set"),
        ({"CUDA_VISIBLE_DEVICES": uuid, "CUDA_DEVICE_ORDER": "FASTEST_FIRST"}, "CUDA_DEVICE_ORDER is FASTEST_FIRST"),
        ({"CUDA_VISIBLE_DEVICES": "0", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}, "hidden by CUDA_VISIBLE_DEVICES=0"),
        ({"CUDA_VISIBLE_DEVICES": "0,1", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}, "does not name NVIDIA GeForce RTX 3090"),
        ({"CUDA_VISIBLE_DEVICES": "1", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}, "unknown"),
        ({"CUDA_VISIBLE_DEVICES": uuid, "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}, "unknown"),
    ]
    for variables, expected in cases:
        ran = machine.script(code, **variables)
        assert expected in ran.stdout, (variables, ran.stdout, ran.stderr)


VERIFY_WITH_TORCH = """
import sys, types, weir
weir.select("*3090*")
torch = types.ModuleType("torch")
torch.cuda = types.SimpleNamespace(is_initialized=lambda: True, device_count=lambda: 1,
    get_device_properties=lambda i: types.SimpleNamespace(uuid={uuid!r}))
sys.modules["torch"] = torch
try: print(weir.verify("*3090*", strict={strict}).outcome)
except weir.PlacementError as e: print("refused:", e)
"""


def test_the_uuid_that_torch_reports_proves_or_refutes(machine):
    good = machine.script(VERIFY_WITH_TORCH.format(uuid="aaaa0000-1111-2222-3333-444455556666", strict=True))
    assert good.stdout == "proved\n", good.stderr
    bad = machine.script(VERIFY_WITH_TORCH.format(uuid="bbbb0000-1111-2222-3333-444455556666", strict=False))
    assert "refused: NVIDIA GeForce RTX 3090: refuted: asked for" in bad.stdout, bad.stderr
    unknown = machine.script("import weir; weir.select('*3090*'); print(weir.verify('*3090*', strict=True))")
    assert "PlacementError" in unknown.stderr and "unknown" in unknown.stderr


def test_a_lease_excludes_other_processes_and_ends_with_its_block(machine):
    held = machine.start("import weir\nwith weir.lease('*3090*', job='nightly'):\n  print('held', flush=True); input()")
    assert held.stdout.readline() == "held\n"
    refused = machine.script("import weir\ntry: weir.lease('*3090*', wait=0).__enter__()\n"
                             "except weir.LeaseTimeout as e: print(e)")
    assert "job 'nightly'" in refused.stdout, refused.stderr
    held.communicate("\n", timeout=60)
    free = machine.script("import weir\nwith weir.lease('*3090*', wait=0) as d: print(d.name)")
    assert free.stdout == "NVIDIA GeForce RTX 3090\n", free.stderr


def test_the_name_of_the_script_stands_for_the_job_and_never_its_arguments(machine):
    job = ("import json, os, pathlib, sys, weir\n"
           "with weir.lease({policy}):\n"
           "    page = next(pathlib.Path(os.environ['WEIR_LEASE_DIR']).glob('gpu-*02:00.0.lease')).read_text()\n"
           "    print(json.loads(page)['job'])\n")
    (machine.folder / "train.py").write_text(job.format(policy="'*3090*'"))
    (machine.folder / "named.py").write_text(job.format(policy="{'device': '*3090*', 'job': 'nightly'}"))
    for arguments, expected in ((["train.py"], "train.py"), (["-m", "train"], "train"), (["named.py"], "nightly")):
        ran = machine.run([sys.executable, *arguments, "--token=secret"])
        assert ran.stdout == expected + "\n", ran.stderr
    ran = machine.run([sys.executable, "-c", (machine.folder / "train.py").read_text(), "--token=secret"])
    assert ran.stdout == "\n", ran.stderr


def test_a_killed_holder_leaves_nothing(machine):
    held = machine.start("import weir\nwith weir.lease('*3090*'):\n  print('held', flush=True); input()")
    assert held.stdout.readline() == "held\n"
    held.kill()
    held.wait(60)
    ran = machine.script("import weir\nwith weir.lease('*3090*', wait=0): print('mine')")
    assert ran.stdout == "mine\n", ran.stderr


def test_leases_nest_in_a_thread_and_in_children_but_not_across_threads(machine):
    code = """
import os, subprocess, sys, threading, weir
with weir.lease("*3090*"):
    with weir.lease("*3090*", wait=0) as inner: print("inner", inner.name)
    print(subprocess.run([sys.executable, "-c", "import weir\\nwith weir.lease('*3090*', wait=0): print('child')"],
                         text=True, capture_output=True).stdout, end="")
    def other():
        try: weir.lease("*3090*", wait=0).__enter__()
        except weir.LeaseTimeout: print("thread waits")
    t = threading.Thread(target=other); t.start(); t.join()
    print(weir.lease("*3090*", wait=0).__enter__() is not None)
print("WEIR_LEASE" in os.environ)
"""
    ran = machine.script(code)
    assert ran.stdout == "inner NVIDIA GeForce RTX 3090\nchild\nthread waits\nTrue\nFalse\n", ran.stderr


def test_a_forked_child_keeps_no_lease(machine):
    code = """
import os, sys, time, weir
lease = weir.lease("*3090*"); lease.__enter__()
child = os.fork()
if child == 0:
    sys.stdin.read()
    os._exit(0)
print("held", flush=True)
os.kill(os.getpid(), 9)
"""
    holder = machine.start(code)
    assert holder.stdout.readline() == "held\n"
    holder.wait(60)
    ran = machine.script("import weir\nwith weir.lease('*3090*', wait=5): print('mine')")
    assert ran.stdout == "mine\n", ran.stderr
    holder.stdin.close()


def test_the_lease_is_given_back_whatever_fails(machine):
    code = """
import weir
try:
    with weir.gpu_context("fails", lease="*3090*"): raise ValueError("mine")
except ValueError as e: print(e)
with weir.lease("*3090*", wait=0): print("free")
"""
    ran = machine.script(code)
    assert ran.stdout == "mine\nfree\n", ran.stderr


def test_an_unknown_setting_is_an_error(machine):
    ran = machine.script("import weir\nweir.select({'alow': 'x'})")
    assert "unknown flag '--alow'" in ran.stderr


def test_devices_are_listed(machine):
    ran = machine.script("import weir; print([d.pci for d in weir.devices() if d.info['vendor'] == 'nvidia'])")
    assert ran.stdout == "['0000:01:00.0', '0000:02:00.0']\n", ran.stderr
    assert os.path.exists(machine.folder)
