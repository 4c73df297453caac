"""Runs every Python file below folders as a program and prints the GPU selection of each.

usage: run_with_stubs.py FOLDER...

Files in subfolders run by `python -m`, too. Imports of modules that belong neither to Python nor to the folder become
stubs, which accept every call and return stubs. The first call in each program that would start a GPU driver records
the selecting variables of the environment: any call of torch.cuda except empty_cache and manual_seed, .cuda(), and
.to() or device= with a GPU's name. Processes are not started; the script records the variables that they would get. It
prints one JSON line per program: "folder", "file", "first" (the variables at the first driver call; null if there was
none), "started" (the variables of each process), "end" (the variables at the end) and "output" (everything the program
printed).
"""

import importlib.abc
import importlib.machinery
import io
import json
import os
import runpy
import sys
import warnings

VARIABLES = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "ZE_AFFINITY_MASK")
LIMIT_S = 20


def selection(environment=None):
    environment = os.environ if environment is None else environment
    return {name: environment[name] for name in VARIABLES if name in environment}


class Record:
    first = None
    started = []

    @classmethod
    def touch(cls):
        if cls.first is None:
            cls.first = selection()


def names_gpu(value):
    return isinstance(value, str) and value.startswith(("cuda", "xpu"))


class Process:
    """Replaces subprocess.Popen and records the variables that the process would get."""

    def __init__(self, *arguments, **keywords):
        Record.started.append(selection(keywords.get("env")))
        self.returncode, self.stdout, self.stderr, self.pid = 0, "", "", 1

    def __enter__(self):
        return self

    def __exit__(self, *what):
        return None

    def communicate(self, *arguments, **keywords):
        return "", ""

    def wait(self, *arguments, **keywords):
        return 0

    poll = wait


def start_nothing():
    import subprocess

    subprocess.Popen = subprocess.run = Process
    subprocess.call = subprocess.check_call = os.system = lambda *a, **k: Process(*a, **k).returncode
    subprocess.check_output = lambda *a, **k: Process(*a, **k).stdout


class Stub:
    """Accepts every attribute and call; as a number or a truth value it stands for a machine with one card."""

    def __init__(self, name):
        self._name = name

    def __getattr__(self, attribute):
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        return Stub(self._name + "." + attribute)

    def __call__(self, *arguments, **keywords):
        last = self._name.rsplit(".", 1)[-1]
        driver = ".cuda." in self._name and last not in ("empty_cache", "manual_seed")
        given = list(arguments) + list(keywords.values())
        if driver or last == "cuda" or any(names_gpu(value) for value in given):
            Record.touch()
        return Stub(self._name + "()")

    def __bool__(self):
        return True

    def __iter__(self):
        return iter(())

    def __len__(self):
        return 1

    def __index__(self):
        return 1

    def __lt__(self, other):
        return 1 < other

    def __gt__(self, other):
        return 1 > other

    def __str__(self):
        return self._name

    __repr__ = __str__
    __format__ = lambda self, form: self._name
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __truediv__ = lambda self, other: self
    __getitem__ = lambda self, key: self


class StubModule(importlib.abc.Loader, importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        name = module.__name__
        module.__getattr__ = lambda attribute: Stub(name + "." + attribute)


def run(folder, file, module):
    os.chdir(folder)
    sys.path.insert(0, folder)
    sys.argv = [file]
    sys.meta_path.append(StubModule())  # last, so that existing modules are found first
    warnings.simplefilter("ignore")  # runpy warns about modules that are imported and run
    start_nothing()
    printed = io.StringIO()
    sys.stdout = printed
    try:
        if module:
            runpy.run_module(file[:-3].replace("/", "."), run_name="__main__", alter_sys=True)
        else:
            sys.path.insert(0, os.path.dirname(os.path.join(folder, file)))
            runpy.run_path(os.path.join(folder, file), run_name="__main__")
    except SystemExit as end:
        print("exit", end.code)
    except Exception as error:  # an error of the program is part of its behaviour
        print(type(error).__name__, error)
    sys.stdout = sys.__stdout__
    return {"first": Record.first, "started": Record.started, "end": selection(), "output": printed.getvalue()}


def run_in_process(folder, file, module):
    """Runs the program in a new process, so that no program affects the next one."""
    out, into = os.pipe()
    child = os.fork()
    if child == 0:
        import signal

        signal.alarm(LIMIT_S)
        os.close(out)
        with os.fdopen(into, "w") as pipe:
            json.dump(run(folder, file, module), pipe)
        os._exit(0)
    os.close(into)
    with os.fdopen(out) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    return json.loads(text) if text else {"first": None, "end": None, "output": "ended by a signal"}


def programs(folder):
    found = []
    for path, _, files in os.walk(folder):
        found += [os.path.relpath(os.path.join(path, name), folder) for name in files if name.endswith(".py")]
    return sorted(found)


def main():
    for name in VARIABLES:
        os.environ.pop(name, None)
    sys.dont_write_bytecode = True
    for folder in sys.argv[1:]:
        folder = os.path.abspath(folder)
        for file in programs(folder):
            for module in (False, True) if "/" in file else (False,):
                result = run_in_process(folder, file, module)
                name = file + (" -m" if module else "")
                print(json.dumps({"folder": folder, "file": name, **result}, sort_keys=True))


if __name__ == "__main__":
    main()
