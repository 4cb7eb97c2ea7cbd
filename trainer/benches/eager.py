"""The trainer's work in PyTorch eager, on the same dataset, with the same weights, order and optimizer.

    python3 eager.py CALL.json DATASET [--fused] [--loader] [--threads=N]

prints a line of JSON: seconds of each epoch, the losses, and a digest of the weights, which is the trainer's own where both
do the same arithmetic (one shard, no dropout, --fused, and the trainer's environment variables). Its data is one tensor, gathered by
index: the quickest form; or, with --loader, comes of a DataLoader, as people write it.
"""

import hashlib
import json
import math
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


class Residual(torch.nn.Module):
    def __init__(self, recipe):
        super().__init__()
        self.layer = layer(recipe["layer"])
        self.shortcut = layer(recipe["shortcut"]) if "shortcut" in recipe else torch.nn.Identity()
        self.activation = layer(recipe["activation"]) if "activation" in recipe else torch.nn.Identity()

    def forward(self, x):
        return self.activation(self.layer(x) + self.shortcut(x))


class Branches(torch.nn.Module):
    def __init__(self, recipe):
        super().__init__()
        self.layers = torch.nn.ModuleList(map(layer, recipe["layers"]))
        self.dim = recipe.get("dim")

    def forward(self, x):
        outputs = [layer(x) for layer in self.layers]
        return sum(outputs) if self.dim is None else torch.cat(outputs, self.dim)


class Recurrent(torch.nn.Module):
    def __init__(self, recipe):
        super().__init__()
        kind = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[recipe["kind"]]
        names = ["input_size", "hidden_size", "num_layers", "bidirectional", "dropout"]
        self.inner = kind(**{name: recipe[name] for name in names}, batch_first=True)
        self.output = recipe["output"]

    def forward(self, x):
        output, last = self.inner(x)
        last = last[0] if isinstance(last, tuple) else last
        last = last.view(self.inner.num_layers, -1, *last.shape[1:])[-1]
        return {"all": output, "mean": output.mean(1), "last": last.transpose(0, 1).flatten(1)}[self.output]


class Encoder(torch.nn.Module):
    def __init__(self, recipe):
        super().__init__()
        names = ["d_model", "nhead", "dim_feedforward", "dropout", "activation", "norm_first"]
        one = torch.nn.TransformerEncoderLayer(**{name: recipe[name] for name in names}, batch_first=True)
        self.inner = torch.nn.TransformerEncoder(one, recipe["num_layers"], enable_nested_tensor=False)
        self.output = recipe["output"]

    def forward(self, x):
        output = self.inner(x)
        return {"all": output, "mean": output.mean(1), "last": output[:, -1]}[self.output]


class Positions(torch.nn.Module):
    def forward(self, x):
        length, features = x.shape[1:]
        rate = (torch.arange(0, (features + 1) // 2, dtype=torch.float64) * (-2 * math.log(10000.0) / features)).exp()
        angle = torch.arange(length, dtype=torch.float64)[:, None] * rate
        waves = torch.stack([angle.sin(), angle.cos()], 2).flatten(1)[:, :features]
        return x + waves.to(x.dtype)


# The constructor of each layer, and the recipe's fields that it takes.
LAYERS = {
    "identity": (torch.nn.Identity, []),
    "conv1d": (torch.nn.Conv1d, "in_channels out_channels kernel_size stride padding dilation groups bias"),
    "conv2d": (torch.nn.Conv2d, "in_channels out_channels kernel_size stride padding dilation groups bias"),
    "conv_transpose2d": (
        torch.nn.ConvTranspose2d,
        "in_channels out_channels kernel_size stride padding output_padding groups bias dilation",
    ),
    "linear": (torch.nn.Linear, "in_features out_features bias"),
    "layer_norm": (torch.nn.LayerNorm, "normalized_shape eps"),
    "group_norm": (torch.nn.GroupNorm, "num_groups num_channels eps"),
    "max_pool1d": (torch.nn.MaxPool1d, "kernel_size stride padding"),
    "avg_pool1d": (torch.nn.AvgPool1d, "kernel_size stride padding"),
    "max_pool2d": (torch.nn.MaxPool2d, "kernel_size stride padding"),
    "avg_pool2d": (torch.nn.AvgPool2d, "kernel_size stride padding"),
    "adaptive_avg_pool1d": (torch.nn.AdaptiveAvgPool1d, "output_size"),
    "adaptive_avg_pool2d": (torch.nn.AdaptiveAvgPool2d, "output_size"),
    "flatten": (torch.nn.Flatten, "start_dim"),
    "relu": (torch.nn.ReLU, ""),
    "relu6": (torch.nn.ReLU6, ""),
    "gelu": (torch.nn.GELU, ""),
    "silu": (torch.nn.SiLU, ""),
    "mish": (torch.nn.Mish, ""),
    "hardswish": (torch.nn.Hardswish, ""),
    "softplus": (torch.nn.Softplus, ""),
    "elu": (torch.nn.ELU, "alpha"),
    "leaky_relu": (torch.nn.LeakyReLU, "negative_slope"),
    "tanh": (torch.nn.Tanh, ""),
    "sigmoid": (torch.nn.Sigmoid, ""),
    "positional_encoding": (Positions, ""),
    "softmax": (lambda: torch.nn.Softmax(-1), ""),
    "log_softmax": (lambda: torch.nn.LogSoftmax(-1), ""),
}


def layer(recipe):
    kind = recipe["kind"]
    if kind == "sequential":
        return torch.nn.Sequential(*map(layer, recipe["layers"]))
    if kind == "named":
        return layer(recipe["layer"])
    if kind == "residual":
        return Residual(recipe)
    if kind in ("parallel", "concat"):
        return Branches(recipe)
    if kind in ("lstm", "gru"):
        return Recurrent(recipe)
    if kind == "transformer_encoder":
        return Encoder(recipe)
    if kind == "batch_norm":
        flat = recipe.get("flat", False)
        norm = torch.nn.BatchNorm1d if flat else torch.nn.BatchNorm2d
        return norm(recipe["num_features"], recipe["eps"], recipe["momentum"])
    if kind == "upsample":
        mode = recipe["mode"]
        return torch.nn.Upsample(
            scale_factor=tuple(recipe["scale_factor"]), mode=mode, align_corners=False if mode == "bilinear" else None
        )
    constructor, fields = LAYERS[kind]
    return constructor(*[recipe[field] for field in (fields.split() if fields else [])])


def matches(pattern, path):
    wanted, parts = pattern.split("."), path.split(".")
    return len(wanted) <= len(parts) and all(want in ("*", part) for want, part in zip(wanted, parts))


def groups_of(recipe, net):
    """The parameters by group: of several that name a layer the first holds."""
    groups = recipe.get("groups", [])
    sorted_in = [[] for _ in range(len(groups) + 1)]
    for path, parameter in net.named_parameters():
        layer = path.rpartition(".")[0]
        places = [place for place, group in enumerate(groups) if matches(group["layers"], layer)]
        if parameter.requires_grad:
            sorted_in[places[0] if places else len(groups)].append(parameter)
    figures = [{name: group[name] for name in ("lr", "weight_decay") if name in group} for group in groups] + [{}]
    return [{"params": own} | figures for own, figures in zip(sorted_in, figures) if own]


def freeze(net, patterns):
    for path, module in net.named_modules():
        if any(matches(pattern, path) for pattern in patterns):
            module.eval()
            for parameter in module.parameters(recurse=False):
                parameter.requires_grad_(False)


def optimizer_of(recipe, parameters):
    # As people write it: PyTorch's own choice of implementation, unless told to be fused.
    fused = True if "--fused" in sys.argv else None
    kind, lr, decay = recipe["kind"], recipe["lr"], recipe["weight_decay"]
    if kind == "sgd":
        momentum, nesterov = recipe["momentum"], recipe["nesterov"]
        return torch.optim.SGD(parameters, lr, momentum, 0, decay, nesterov, fused=fused)
    if kind == "rmsprop":
        names = ["lr", "alpha", "eps", "weight_decay", "momentum", "centered"]
        return torch.optim.RMSprop(parameters, **{name: recipe[name] for name in names}, foreach=False)
    constructor = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[kind]
    return constructor(parameters, lr, recipe["betas"], recipe["eps"], decay, fused=fused)


def schedule_of(recipe, optimizer, steps):
    schedulers = torch.optim.lr_scheduler
    if recipe is None:
        return schedulers.LambdaLR(optimizer, lambda epoch: 1.0)
    if recipe["kind"] == "step":
        return schedulers.StepLR(optimizer, recipe["step_size"], recipe["gamma"])
    if recipe["kind"] == "multi_step":
        return schedulers.MultiStepLR(optimizer, recipe["milestones"], recipe["gamma"])
    if recipe["kind"] == "exponential":
        return schedulers.ExponentialLR(optimizer, recipe["gamma"])
    if recipe["kind"] == "plateau":
        return schedulers.ReduceLROnPlateau(optimizer, factor=recipe["factor"], patience=recipe["patience"])
    if recipe["kind"] == "one_cycle":
        return schedulers.OneCycleLR(optimizer, recipe["max_lr"], recipe["over"] * steps)
    warmup = recipe["warmup"]
    cosine = schedulers.CosineAnnealingLR(optimizer, recipe["over"] - warmup, recipe["min_lr"])
    if warmup == 0:
        return cosine
    raise ValueError("a warm-up is no scheduler of PyTorch's")


def loss_of(recipe):
    kind = recipe["kind"]
    if kind == "cross_entropy":
        weight = torch.tensor(recipe["weight"]) if recipe.get("weight") else None
        return torch.nn.CrossEntropyLoss(weight, label_smoothing=recipe.get("label_smoothing", 0.0))
    if kind == "nll":
        return torch.nn.NLLLoss(torch.tensor(recipe["weight"]) if recipe.get("weight") else None)
    if kind == "bce_with_logits":
        weight = torch.tensor(recipe["pos_weight"]) if recipe.get("pos_weight") else None
        return torch.nn.BCEWithLogitsLoss(pos_weight=weight)
    if kind == "focal":
        return lambda out, y: focal(out, y, recipe["gamma"])
    return {"mse": torch.nn.MSELoss, "l1": torch.nn.L1Loss}[kind]()


def focal(out, y, gamma):
    # torchvision's `sigmoid_focal_loss` without alpha for tags; of classes the same with a softmax.
    if y.dtype == torch.int64:
        loss = torch.nn.functional.cross_entropy(out, y, reduction="none")
        return ((1 - torch.exp(-loss)) ** gamma * loss).mean()
    p = torch.sigmoid(out)
    loss = torch.nn.functional.binary_cross_entropy_with_logits(out, y, reduction="none")
    return (loss * (1 - (p * y + (1 - p) * (1 - y))) ** gamma).mean()


@torch.no_grad()
def validated(net, score, x, y, batch_size):
    """The mean loss of the examples in evaluation mode."""
    net.eval()
    batches = zip(x.split(batch_size), y.split(batch_size))
    return sum(score(net(x), y).item() * len(x) for x, y in batches) / len(x)


def threads():
    given = [int(word.removeprefix("--threads=")) for word in sys.argv if word.startswith("--threads=")]
    return given[0] if given else 1


def batches(x, y, order, size):
    if "--loader" in sys.argv:
        examples = torch.utils.data.TensorDataset(x, y)
        return torch.utils.data.DataLoader(examples, size, sampler=order.tolist())
    return ((x[rows], y[rows]) for rows in order.split(size))


def main(call, dataset):
    call = json.load(open(call))
    # Where the call validates, it is on the same dataset.
    args, validate = call["args"], "val" in call["inputs"]
    torch.set_num_threads(threads())
    torch.manual_seed(args["seed"])
    net = layer(args["net"]["root"])
    x, y = tensors(dataset + "/x.safetensors")["x"], tensors(dataset + "/y.safetensors")["y"]
    steps = -(-len(x) // args["batch_size"])
    freeze(net, args.get("freeze", []))
    optimizer = optimizer_of(args["optimizer"], groups_of(args["optimizer"], net))
    schedule, score = schedule_of(args.get("schedule"), optimizer, steps), loss_of(args["loss"])
    kind = (args.get("schedule") or {}).get("kind")
    scored = net
    if "ema" in args:
        mean = torch.optim.swa_utils.get_ema_multi_avg_fn(args["ema"])
        scored = torch.optim.swa_utils.AveragedModel(net, multi_avg_fn=mean)
    seconds, losses, validation, taken = [], [], [], 0
    for epoch in range(1, args["epochs"] + 1):
        order = torch.tensor(Random.named(args["seed"], "order").child(epoch).shuffled(len(x)))
        begun, total = time.perf_counter(), 0.0
        for inputs, targets in batches(x, y, order, args["batch_size"]):
            loss = score(net(inputs), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(targets)
            taken += 1
            if scored is not net:
                scored.update_parameters(net)
            # Beyond its end PyTorch's scheduler throws; here the rates stay as they are.
            if kind == "one_cycle" and taken < args["schedule"]["over"] * steps:
                schedule.step()
        seconds.append(time.perf_counter() - begun)
        losses.append(total / len(x))
        if validate:
            validation.append(validated(scored, score, x, y, args["batch_size"]))
            freeze(net.train(), args.get("freeze", []))
        if kind == "plateau":
            schedule.step(validation[-1])
        elif kind != "one_cycle":
            schedule.step()
    digest = hashlib.sha256()
    for name, value in sorted(net.state_dict().items()):
        digest.update(value.contiguous().numpy().tobytes())
    print(json.dumps({"seconds": seconds, "losses": losses, "val": validation, "weights": digest.hexdigest()}))


main(sys.argv[1], sys.argv[2])
