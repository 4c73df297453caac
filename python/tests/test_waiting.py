"""Waits for a lease or for another scope: interrupts, forks, and the order of lease and scope lock."""

import os
import pathlib
import signal
import time

import pytest

HOLD = "import weir\nwith weir.lease('*3090*'):\n  print('held', flush=True); input()"


def hold(machine):
    held = machine.start(HOLD)
    assert held.stdout.readline() == "held\n"
    return held


def waiters(machine):
    """Returns how many processes wait for the 3090: the kernel's locks on its lease file, as in 'weir lease list'."""
    path = next((machine.folder / "leases").glob("gpu-*02:00.0.lease"))
    number = f":{path.stat().st_ino} "
    with open("/proc/locks") as file:
        locks = [line.split() for line in file if number in line]
    return sum(int(line[-2]) >= 1 << 40 for line in locks)


def eventually(done):
    deadline = time.monotonic() + 60
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.005)


WAITS = """
import sys, threading, weir
print('starting', flush=True)
try:
    {wait}
except KeyboardInterrupt: print('interrupted', flush=True)
sys.stdin.readline()
import os
print(os.environ.get('WEIR_LEASE'))
with weir.gpu_context('after'): print('works')
"""


def interrupted(machine, wait):
    held = hold(machine)
    waiting = machine.start(WAITS.format(wait=wait))
    assert waiting.stdout.readline() == "starting\n"
    eventually(lambda: waiters(machine) == 1)
    waiting.send_signal(signal.SIGINT)
    assert waiting.stdout.readline() == "interrupted\n"
    assert waiters(machine) == 0, "the ticket is gone while the process lives"
    assert held.poll() is None
    out, _ = waiting.communicate("\n", timeout=60)
    assert out == "None\nworks\n", out
    held.communicate("\n", timeout=60)


def test_an_interrupt_ends_the_wait_for_a_lease(machine):
    interrupted(machine, "weir.lease('*3090*').__enter__()")


def test_an_interrupt_ends_the_wait_of_a_leased_scope(machine):
    interrupted(machine, "weir.gpu_context('x', lease='*3090*').__enter__()")


def test_an_interrupt_ends_the_wait_for_a_lease_inside_a_scope(machine):
    interrupted(machine, """
    with weir.gpu_context('outer'):
        with weir.gpu_context('inner', lease='*3090*'): pass
""")


def test_a_handler_that_raises_something_else_ends_the_wait_too(machine):
    interrupted(machine, """
    import signal
    class Enough(KeyboardInterrupt): pass
    def end(*_): raise Enough
    signal.signal(signal.SIGINT, end)
    weir.lease('*3090*').__enter__()
""")


def children(pid):
    return [child for task in pathlib.Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text().split()]


@pytest.mark.parametrize("_", range(8))  # the interrupt comes at different moments, often just before the wait
def test_an_interrupt_does_not_wait_for_a_driver_that_hangs(machine, _):
    machine.set_cards("hang\n")
    waiting = machine.start("import sys, weir\nprint('starting', flush=True)\ntry: weir.lease().__enter__()\n"
                            "except KeyboardInterrupt: print('interrupted', flush=True)\nsys.stdin.readline()")
    assert waiting.stdout.readline() == "starting\n"
    eventually(lambda: children(waiting.pid))
    waiting.send_signal(signal.SIGINT)
    assert waiting.stdout.readline() == "interrupted\n"
    eventually(lambda: children(waiting.pid))  # the probe still runs until its time limit
    waiting.communicate("\n", timeout=60)


def test_an_interrupt_ends_the_wait_for_another_threads_scope(machine):
    code = """
import threading, weir
enough = threading.Event()
inside = threading.Event()
def work():
    with weir.gpu_context('long'):
        inside.set(); enough.wait()
thread = threading.Thread(target=work); thread.start(); inside.wait()
print('starting', flush=True)
try:
    with weir.gpu_context('short', lease='*3090*'): print('inside')
except KeyboardInterrupt: print('interrupted', flush=True)
with weir.lease('*3090*', wait=0): print('no lease is kept', flush=True)
enough.set(); thread.join()
with weir.gpu_context('after'): print('works')
"""
    waiting = machine.start(code)
    assert waiting.stdout.readline() == "starting\n"
    eventually(lambda: is_held(machine))
    time.sleep(0.05)  # it waits for the other scope now or soon; the interrupt ends both waits
    waiting.send_signal(signal.SIGINT)
    assert waiting.communicate(timeout=60)[0] == "interrupted\nno lease is kept\nworks\n"


def is_held(machine):
    return any("OFDLCK" in line for line in open("/proc/locks")
               for path in (machine.folder / "leases").glob("gpu-*02:00.0.lease") if f":{path.stat().st_ino} " in line)


FORKS_WHILE_WAITING = """
import os, sys, threading, time, weir
def wait():
    with weir.lease('*3090*'): pass
threading.Thread(target=wait, daemon=True).start()
print('waiting', flush=True)
sys.stdin.readline()
{fork}
print(child, flush=True)
time.sleep(1000)
"""
FORKS = {
    "os.fork": "child = os.fork()\nif child == 0: time.sleep(1000)",
    "multiprocessing": "import multiprocessing\n"
                       "m = multiprocessing.get_context('fork').Process(target=time.sleep, args=(1000,))\n"
                       "m.start(); child = m.pid",
}


def test_a_fork_while_another_thread_waits_leaves_no_ticket_in_the_child(machine):
    for fork in FORKS.values():
        held = hold(machine)
        parent = machine.start(FORKS_WHILE_WAITING.format(fork=fork))
        assert parent.stdout.readline() == "waiting\n"
        eventually(lambda: waiters(machine) == 1)
        parent.stdin.write("\n")
        parent.stdin.flush()
        child = int(parent.stdout.readline())
        try:
            parent.kill()
            parent.wait(60)
            eventually(lambda: waiters(machine) == 0)
            os.kill(child, 0)  # the child is alive
        finally:
            os.kill(child, signal.SIGKILL)
        held.communicate("\n", timeout=60)


def test_a_forked_child_can_use_weir_whatever_other_threads_held(machine):
    code = """
import os, threading, traceback, weir
inside, enough = threading.Event(), threading.Event()
def work():
    with weir.gpu_context('parent'):
        inside.set(); enough.wait()
thread = threading.Thread(target=work); thread.start(); inside.wait()
def in_child(work):
    child = os.fork()
    if child == 0:
        try: work()
        except BaseException: traceback.print_exc()
        os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
def uses():
    with weir.gpu_context('child', lease='*3090*'): pass
    assert weir.validate_no_memory_leak()
    assert weir.leak_report()['scopes'] == 1, weir.leak_report()
    os._exit(0)
in_child(uses)
for lock in (weir._guard._guard_lock, weir._device._lock):
    with lock: in_child(uses)
enough.set(); thread.join()
def nests():
    with weir.gpu_context('inside'): pass
    os._exit(0)
with weir.gpu_context('forks inside'): in_child(nests)
scope = weir.gpu_context('outer', lease='*3090*')
def leaves():
    with weir.gpu_context('inner', lease='*3090*'): pass
    scope.__exit__(None, None, None)
    assert scope.result == {}
    with weir.gpu_context('after'): pass
    os._exit(0)
with scope: in_child(leaves)
assert scope.result['verdict'] == 'clean'
print('done')
"""
    ran = machine.script(code)
    assert ran.stdout == "done\n", ran.stdout + ran.stderr


def test_a_log_goes_on_in_a_forked_child(machine):
    code = """
import os, weir
weir.log_to('log.jsonl')
child = os.fork()
with weir.gpu_context('child' if child == 0 else 'parent'): pass
if child == 0: os._exit(0)
os.waitpid(child, 0)
"""
    ran = machine.script(code)
    assert ran.returncode == 0, ran.stderr
    log = (machine.folder / "log.jsonl").read_text()
    assert '"child"' in log and '"parent"' in log


ORDERS = """
import random, sys, threading, weir
def lease_then_scope(i):
    with weir.lease('*3090*'):
        with weir.gpu_context(f'a{i}'): pass
def scope_then_lease(i):
    with weir.gpu_context(f'b{i}'):
        with weir.gpu_context(f'c{i}', lease='*3090*'): pass
def work(one):
    for i in range(3): one(i)
threads = [threading.Thread(target=work, args=(one,)) for one in (lease_then_scope, scope_then_lease) * 2]
for thread in threads: thread.start()
for thread in threads: thread.join(240)
print(sum(thread.is_alive() for thread in threads), flush=True)
import os; os._exit(0)
"""


def test_scope_then_lease_and_lease_then_scope_do_not_wait_for_each_other(machine):
    both = [machine.start(ORDERS) for _ in range(2)]
    assert [one.communicate(timeout=280)[0] for one in both] == ["0\n", "0\n"]


def test_the_wait_for_another_scope_is_limited(machine):
    code = """
import threading, weir
inside, enough = threading.Event(), threading.Event()
def work():
    with weir.gpu_context('long'):
        inside.set(); enough.wait()
thread = threading.Thread(target=work); thread.start(); inside.wait()
try: weir.gpu_context('short', lease='*3090*').__enter__()
except weir.LeaseTimeout as e: print(e)
with weir.lease('*3090*', wait=0): print('no lease is kept')
enough.set(); thread.join()
"""
    ran = machine.script(code, WEIR_WAIT="0.05")
    assert ran.stdout == ("scope 'short': not its turn within 0.05 s: another thread is in scope 'long'\n"
                          "no lease is kept\n"), ran.stdout + ran.stderr


def test_a_lease_that_is_held_at_exit_is_given_back_in_order(machine):
    ran = machine.script("import weir; weir.lease('*3090*', job='nightly').__enter__()")
    assert ran.returncode == 0 and ran.stderr == "", ran.stderr
    lease = next((machine.folder / "leases").glob("gpu-*02:00.0.lease")).read_text()
    assert '"released"' in lease


def test_a_daemon_thread_that_waits_at_exit_is_no_crash(machine):
    held = hold(machine)
    waiting = machine.start("import threading, weir\n"
                            "threading.Thread(target=lambda: weir.lease('*3090*').__enter__(), daemon=True).start()\n"
                            "input()")
    eventually(lambda: waiters(machine) == 1)
    waiting.communicate("\n", timeout=60)
    assert waiting.returncode == 0
    assert waiters(machine) == 0
    held.communicate("\n", timeout=60)


def test_a_subinterpreter_is_refused(machine):
    ran = machine.script("""
try: import _xxsubinterpreters as interpreters
except ImportError:
    import _interpreters as interpreters
import weir
one = interpreters.create()
try: print(interpreters.run_string(one, 'import weir'))
except interpreters.RunFailedError as e: print(e)
with weir.gpu_context('main'): print('works')
""")
    assert "main interpreter" in ran.stdout and ran.stdout.endswith("works\n"), ran.stdout + ran.stderr


INTERRUPTED_AT_ANY_MOMENT = """
import random, signal, threading, time
from weir._scope_lock import ScopeLock
class Enough(Exception): pass
def end(*_):
    if armed: raise Enough
signal.signal(signal.SIGALRM, end)
armed = False
lock = ScopeLock()
until = time.monotonic() + 3
inside = overlaps = interrupts = 0
def work():
    global inside, overlaps
    while time.monotonic() < until:
        holder = object()
        lock.acquire(holder, 60)
        inside += 1
        overlaps += inside != 1
        inside -= 1
        lock.release(holder)
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads: thread.start()
while time.monotonic() < until:
    holder = object()
    try:
        armed = True
        signal.setitimer(signal.ITIMER_REAL, random.random() * 0.002 + 1e-5)
        lock.acquire(holder, 60)
        time.sleep(0.002)
        armed = False
    except Enough: interrupts += 1
    armed = False
    signal.setitimer(signal.ITIMER_REAL, 0)
    lock.release(holder)
for thread in threads: thread.join()
print(overlaps, interrupts > 50, lock._owner)
"""


def test_the_scope_lock_survives_interrupts_at_any_moment(machine):
    ran = machine.script(INTERRUPTED_AT_ANY_MOMENT)
    assert ran.stdout == "0 True (0, frozenset())\n", ran.stderr


TIME_IS_UP = """
import functools, random, signal, weir
class TimeUp({kind}): pass
fired = caught = 0
class Handler:
    def __call__(self, *_): self.end()
    def end(self, *_):
        global fired
        fired += 1
        raise TimeUp('time is up')
signal.signal(signal.SIGALRM, {handler})
with weir.gpu_context('warm'): pass
for i in range(300):
    lost = 'no'
    try:
        before = fired
        signal.setitimer(signal.ITIMER_REAL, random.uniform(0.0002, 0.006))
        with weir.gpu_context('x'): pass
        lost = fired - before
        signal.setitimer(signal.ITIMER_REAL, 0)
        assert not lost, lost
    except TimeUp: caught += 1
    finally: signal.setitimer(signal.ITIMER_REAL, 0)
print(caught > 20)
"""


@pytest.mark.parametrize("kind,handler", [
    ("Exception", "lambda *_: Handler().end()"), ("RuntimeError", "Handler().end"), ("TimeoutError", "Handler()"),
    ("Exception", "functools.partial(Handler.end, 1)")])
def test_a_handlers_exception_at_the_end_of_a_scope_reaches_the_caller(machine, kind, handler):
    ran = machine.script(TIME_IS_UP.format(kind=kind, handler=handler))
    assert ran.stdout == "True\n", ran.stderr[-2000:]


ENDS_MEANWHILE = """
import signal, threading, time, weir
def end(*_): 1 / 0
signal.signal(signal.SIGALRM, end)
if {interrupt}:
    signal.setitimer(signal.ITIMER_REAL, {after})
    try:
        try: {work}
        finally: signal.setitimer(signal.ITIMER_REAL, 0)  # at exit Python removes the handler; SIGALRM would then kill
    except ZeroDivisionError: pass
else:
    def in_a_thread(): {work}
    threading.Thread(target=in_a_thread, daemon=True).start()
    time.sleep({after})
"""


@pytest.mark.parametrize("work", ["weir.lease('*3090*').__enter__()", "weir.select('*3090*')", "weir.verify()"])
@pytest.mark.parametrize("interrupt", [True, False])
def test_a_program_ends_well_while_the_machine_is_inspected(machine, interrupt, work):
    for after in (0.01, 0.03, 0.05, 0.08, 0.12):
        ran = machine.script(ENDS_MEANWHILE.format(interrupt=interrupt, after=after, work=work))
        assert ran.returncode == 0 or "PlacementError" in ran.stderr, (after, ran.returncode, ran.stderr)
