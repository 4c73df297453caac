"""Measures the trainings of bench/training.cpp with PyTorch. Prints a line NAME STEPS_PER_SECOND for each.

usage: training_torch.py THREADS SECONDS [NAME...]
"""
import sys
import time

import torch
from torch import nn


def enlarging():
    layers, channels = [], 3
    for _ in range(9):
        layers += [nn.Conv2d(channels, 32, 3, padding=1), nn.PReLU(32)]
        channels = 32
    return nn.Sequential(*layers, nn.Conv2d(32, 12, 3, padding=1), nn.PixelShuffle(2))


def digits():
    half = nn.MaxPool2d(2)
    return nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), half, nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(),
                         half, nn.Flatten(), nn.Linear(512, 10))


def charbonnier(x, y):
    return torch.sqrt((x - y) ** 2 + 1e-6).mean()


TRAININGS = {
    "xor": (lambda: nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1)), (4, 2), (4, 1), nn.MSELoss()),
    "digits": (digits, (32, 1, 16, 16), (32,), nn.CrossEntropyLoss()),
    "enlarging": (enlarging, (16, 3, 48, 48), (16, 3, 96, 96), charbonnier),
}


def rate(name, seconds, layout):
    make, in_shape, out_shape, loss = TRAININGS[name]
    torch.manual_seed(1)
    net = make()
    x = torch.rand(in_shape)
    y = torch.randint(10, out_shape) if name == "digits" else torch.rand(out_shape)
    if layout is not None and x.dim() == 4:
        net, x = net.to(memory_format=layout), x.to(memory_format=layout)
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-4)

    def step():
        optimiser.zero_grad(set_to_none=True)
        loss(net(x), y).backward()
        optimiser.step()

    for length in (seconds / 10, seconds):
        start, count = time.perf_counter(), 0
        while time.perf_counter() - start < length:
            step()
            count += 1
        result = count / (time.perf_counter() - start)
    return result


def main():
    torch.set_num_threads(int(sys.argv[1]))
    seconds = float(sys.argv[2])
    for name in sys.argv[3:] or TRAININGS:
        # Measures both memory layouts and prints the faster: it depends on the network.
        print(name, round(max(rate(name, seconds / 2, layout) for layout in (None, torch.channels_last)), 3), flush=True)


main()
