"""A GPU context from before the lease: new masks have no effect, so the lease checks the context or is refused."""

import pytest

POLICY = "allow = '*RTX 3090*'\ndeny = '*5060*'\n"
WORKS_ON = """
import os, sys, types, weir
def works_on(*cards):
    with open(os.environ["FAKE_NVML"], "a") as file:
        for card in cards: file.write(f"process {card} {os.getpid()} 400\\n")
def torch_sees(*uuids):
    torch = types.ModuleType("torch")
    torch.cuda = types.SimpleNamespace(
        is_initialized=lambda: True, is_available=lambda: True, device_count=lambda: len(uuids),
        synchronize=lambda: None, empty_cache=lambda: None, reset_peak_memory_stats=lambda: None,
        mem_get_info=lambda: (12 << 30, 24 << 30),
        get_device_properties=lambda i: types.SimpleNamespace(**({"uuid": uuids[i]} if uuids[i] else {})),
        **{peak + name: lambda i=0: 0 for peak in ("", "max_") for name in ("memory_allocated", "memory_reserved")})
    sys.modules["torch"] = torch
ALLOWED, FORBIDDEN = (f"{x * 4}0000-1111-2222-3333-444455556666" for x in "ab")
"""
UUID = "GPU-aaaa0000-1111-2222-3333-444455556666"
START = {"CUDA_VISIBLE_DEVICES": UUID, "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}


def run(machine, code, **more):
    (machine.folder / "weir.toml").write_text(POLICY)
    return machine.script(WORKS_ON + code, **more)


@pytest.mark.parametrize("context", [
    "works_on(1)",                        # the driver reports memory on the forbidden card
    "works_on(0, 1)",                     # on both
    "torch_sees(FORBIDDEN)",              # torch reports its UUID
    "torch_sees(FORBIDDEN, ALLOWED)",     # cuda:0 is the forbidden one
    "works_on(0); torch_sees(None, None)",  # an older torch reports no UUID and sees both
    "works_on(1); os.environ.update(CUDA_VISIBLE_DEVICES='GPU-aaaa0000-1111-2222-3333-444455556666', "
    "CUDA_DEVICE_ORDER='PCI_BUS_ID')",    # a mask that was set too late
    "torch_sees(None)",                   # a context on an unknown card
])
def test_a_context_elsewhere_is_refused(machine, context):
    ran = run(machine, context + """
for take in (lambda: weir.lease(wait=0).__enter__(), lambda: weir.gpu_context("step", lease=True).__enter__()):
    try: print("taken", take())
    except weir.PlacementError as e: print("refused:", e)
print(os.environ.get("WEIR_LEASE"))
""")
    lines = ran.stdout.splitlines()
    assert [line[:7] for line in lines] == ["refused", "refused", "None"], ran.stdout + ran.stderr
    assert "Masks are read once, at the first GPU call" in lines[0] and "weir.select()" in lines[0]
    assert "5060" in lines[0] or "FORBIDDEN" not in context, lines[0]
    free = machine.script("import weir\nwith weir.lease(wait=0): print('free')",
                          FAKE_NVML=str(machine.folder / "machine"))
    assert free.stdout == "free\n", free.stderr


@pytest.mark.parametrize("context,more", [
    ("works_on(0)", {}),
    ("torch_sees(ALLOWED)", {}),
    ("works_on(0); torch_sees(None)", {}),
    ("torch_sees(None)", START),               # masked from the start of the process
    ("weir.select(); torch_sees(None)", {}),   # masked here, before the context
    ("pass", {}),
])
def test_a_context_on_the_leased_card_is_fine(machine, context, more):
    ran = run(machine, context + """
for _ in range(2):
    with weir.gpu_context("step", lease=True):
        print(os.environ["CUDA_VISIBLE_DEVICES"], os.environ["CUDA_DEVICE_ORDER"])
""", **more)
    assert ran.stdout == f"{UUID} PCI_BUS_ID\n" * 2, ran.stdout + ran.stderr


def test_the_lease_is_of_the_card_in_use_where_the_policy_allows_both(machine):
    code = WORKS_ON + "works_on(1)\nwith weir.lease(wait=0) as d: print(d.name)"
    ran = machine.script(code)
    assert ran.stdout == "NVIDIA GeForce RTX 5060 Ti\n", ran.stderr
    ran = machine.script("import weir\nwith weir.lease(wait=0) as d: print(d.name)")
    assert ran.stdout == "NVIDIA GeForce RTX 3090\n", "without a context the one with the most free memory"


def test_work_that_goes_elsewhere_inside_a_leased_scope_is_an_error_at_its_end(machine):
    ran = run(machine, """
try:
    with weir.gpu_context("step", lease=True): works_on(1); torch_sees(None)
except weir.PlacementError as e: print("refused:", e)
try:
    with weir.gpu_context("fails", lease=None): raise ValueError("mine")
except ValueError as e: print(e)
print(os.environ.get("WEIR_LEASE"))
""")
    assert ran.stdout.startswith("refused: NVIDIA GeForce RTX 3090 at 0000:02:00.0 is chosen"), ran.stdout + ran.stderr
    assert ran.stdout.endswith("\nmine\nNone\n"), ran.stdout + ran.stderr


def test_the_works_own_error_goes_over_its_place(machine):
    ran = run(machine, """
try:
    with weir.gpu_context("step", lease=True):
        works_on(1); torch_sees(None)
        raise ValueError("mine")
except ValueError as e: print(e)
""")
    assert ran.stdout == "mine\n" and "but the work is elsewhere" in ran.stderr, ran.stdout + ran.stderr


def test_select_refuses_masks_that_are_right_by_now_and_came_too_late(machine):
    ran = run(machine, """
os.environ.update(CUDA_VISIBLE_DEVICES="%s", CUDA_DEVICE_ORDER="PCI_BUS_ID")
mask = weir.Machine().native.mask(weir.Machine().first().index)[0]
os.environ.update(mask)
torch_sees(FORBIDDEN)
try: print(weir.select())
except weir.PlacementError as e: print("refused:", e)
""" % UUID)
    assert ran.stdout.startswith("refused: NVIDIA GeForce RTX 3090"), ran.stdout + ran.stderr
    assert "Masks are read once" in ran.stdout
