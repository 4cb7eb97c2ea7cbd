"""The trainer's work in PyTorch eager, on the same dataset, with the same weights, order and optimizer.

    python3 eager.py CALL.json DATASET [--fused]

prints a line of JSON: seconds of each epoch, the losses, and a digest of the weights, which is the trainer's own where both
do the same arithmetic (one shard, no dropout, --fused, and the trainer's environment variables). Its data is one tensor, gathered by index: the quickest form.
"""

import hashlib
import json
import struct
import sys
import time

import torch

MASK = (1 << 64) - 1
GAMMA = 0x9E3779B97F4A7C15


def mix(z):
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


class Random:
    """The streams of trainer/data/src/random.rs."""

    def __init__(self, state):
        self.state = state

    @staticmethod
    def named(seed, purpose):
        stream = Random(mix((seed + GAMMA) & MASK))
        for byte in purpose.encode():
            stream = stream.child(byte)
        return stream

    def child(self, index):
        return Random(mix(self.state ^ mix((index + GAMMA) & MASK)))

    def bits(self):
        self.state = (self.state + GAMMA) & MASK
        return mix(self.state)

    def below(self, bound):
        while True:
            product = self.bits() * bound
            low = product & MASK
            if low >= bound or low >= (-bound & MASK) % bound:
                return product >> 64

    def shuffled(self, count):
        items = list(range(count))
        for last in range(count - 1, 0, -1):
            other = self.below(last + 1)
            items[last], items[other] = items[other], items[last]
        return items


def tensors(path):
    data = open(path, "rb").read()
    (length,) = struct.unpack("<Q", data[:8])
    kinds = {"F32": torch.float32, "I64": torch.int64}
    found = {}
    for name, entry in json.loads(data[8 : 8 + length]).items():
        start, end = entry["data_offsets"]
        bytes = bytearray(data[8 + length + start : 8 + length + end])
        found[name] = torch.frombuffer(bytes, dtype=kinds[entry["dtype"]]).view(entry["shape"])
    return found


def layer(recipe):
    kind = recipe["kind"]
    if kind == "sequential":
        return torch.nn.Sequential(*map(layer, recipe["layers"]))
    if kind == "conv2d":
        names = ["in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups", "bias"]
        return torch.nn.Conv2d(*[recipe[name] for name in names])
    if kind == "linear":
        return torch.nn.Linear(recipe["in_features"], recipe["out_features"], recipe["bias"])
    if kind == "batch_norm":
        return torch.nn.BatchNorm2d(recipe["num_features"], recipe["eps"], recipe["momentum"])
    if kind == "max_pool2d":
        return torch.nn.MaxPool2d(recipe["kernel_size"], recipe["stride"], recipe["padding"])
    return {"relu": torch.nn.ReLU, "flatten": torch.nn.Flatten}[kind]()


def main(call, dataset):
    args = json.load(open(call))["args"]
    torch.set_num_threads(1)
    torch.manual_seed(args["seed"])
    net = layer(args["net"]["root"])
    recipe = args["optimizer"]
    if recipe["kind"] == "sgd":
        optimizer = torch.optim.SGD(net.parameters(), recipe["lr"], recipe["momentum"], 0, recipe["weight_decay"], recipe["nesterov"])
    else:
        # As people write it: PyTorch's own choice of implementation, unless told to be fused.
        fused = True if "--fused" in sys.argv else None
        optimizer = torch.optim.Adam(net.parameters(), recipe["lr"], recipe["betas"], recipe["eps"], fused=fused)
    x, y = tensors(dataset + "/x.safetensors")["x"], tensors(dataset + "/y.safetensors")["y"]
    seconds, losses = [], []
    for epoch in range(1, args["epochs"] + 1):
        order = torch.tensor(Random.named(args["seed"], "order").child(epoch).shuffled(len(x)))
        begun, total = time.perf_counter(), 0.0
        for rows in order.split(args["batch_size"]):
            loss = torch.nn.functional.cross_entropy(net(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        seconds.append(time.perf_counter() - begun)
        losses.append(total / len(x))
    digest = hashlib.sha256()
    for name, value in sorted(net.state_dict().items()):
        digest.update(value.contiguous().numpy().tobytes())
    print(json.dumps({"seconds": seconds, "losses": losses, "weights": digest.hexdigest()}))


main(sys.argv[1], sys.argv[2])
