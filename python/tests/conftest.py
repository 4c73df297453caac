"""Machines for the tests. A fake management library (NVML) reports the cards of a file, so scripts run as separate
processes."""

import os
import pathlib
import subprocess
import sys

import pytest

TWO_CARDS = (
    "card NVIDIA_GeForce_RTX_3090 GPU-aaaa0000-1111-2222-3333-444455556666 0000:02:00.0 24576 100 300\n"
    "card NVIDIA_GeForce_RTX_5060_Ti GPU-bbbb0000-1111-2222-3333-444455556666 0000:01:00.0 16384 0 200\n"
)


class Machine:
    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        (folder / "leases").mkdir()
        self.set_cards(TWO_CARDS)

    def set_cards(self, text: str) -> None:
        (self.folder / "machine").write_text(text)

    def environment(self, **more: str) -> dict:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("CUDA_", "WEIR_", "ZE_", "PYTEST"))}
        return {**kept, "LD_LIBRARY_PATH": os.environ["WEIR_FAKE_NVML_FOLDER"],
                "FAKE_NVML": str(self.folder / "machine"), "WEIR_LEASE_DIR": str(self.folder / "leases"),
                "HOME": str(self.folder), "XDG_STATE_HOME": str(self.folder / "state"), **more}

    def run(self, arguments: list, **more: str) -> subprocess.CompletedProcess:
        return subprocess.run(arguments, cwd=self.folder, env=self.environment(**more), text=True, capture_output=True,
                              timeout=300)

    def script(self, code: str, **more: str) -> subprocess.CompletedProcess:
        return self.run([sys.executable, "-c", code], **more)

    def start(self, code: str, **more: str) -> subprocess.Popen:
        return subprocess.Popen([sys.executable, "-c", code], cwd=self.folder, env=self.environment(**more), text=True,
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE)


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


@pytest.fixture(autouse=True)
def own_leases(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("WEIR_LEASE_DIR", str(tmp_path_factory.mktemp("leases")))
