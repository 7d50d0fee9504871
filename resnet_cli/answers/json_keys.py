"""What JSON holds, command by command: each key with its type and what it means.

A text is a value: its type before the colon (`TYPES` of `answers.schema`), with ? where it may be
null, and what it is. A dict is an object, a list of one a list of such; "" says what that is. A key
with ? is there only where it means something, one that ends in _N is any of such a number.
"""

from __future__ import annotations

from typing import Any

Keys = dict[str, Any]

UNCOUNTED = {
    "": "what nobody has described here; totals are then at least what is shown",
    "network?": "string: in which of several networks",
    "operator": "string: its name",
    "times": "integer: how often it is met",
    "reason": "string: why it is not counted",
}
SETTLED = "boolean: false where a weight file is taken for one of several networks with its tensors"
PUBLISHED = {
    "": "figures printed elsewhere",
    "source": "string: paper and table",
    "quantity": "string: what is printed: flops, params, top1_err, ...",
    "printed": "string: as it is printed",
    "ours": "integer?: our number by that paper's rule; null for an error",
    "agrees": "string?: by rounding, by cutting or no",
}
NETWORK: Keys = {
    "model": "string: the network's name",
    "spec": "spec: every field of its description, null where it has none",
    "input": "integers?: channels, height and width; null without a spec",
    "inputs": [
        {
            "": "what the network takes",
            "name": "string: what it is called",
            "shape": "integers: of one input",
            "dtype": "string: of its numbers",
        }
    ],
    "origin": {
        "": "where the network comes from",
        "kind": "string: spec or weights",
        "source": "string?: what was named",
        "ran": "string?: how it was run; null where it was not",
        "version": "string?: of the library that wrote it",
    },
    "batch": "integer: as typed; rows and totals are of one input, but for bytes",
    "batch_total?": {
        "": "for a batch over 1: the total times the batch",
        "macs": "integer: multiply-accumulates",
        "flops": "integer: two a MAC",
    },
    "published": [PUBLISHED],
    "uncounted": [UNCOUNTED],
    "settled?": SETTLED,
}
TOTAL: Keys = {
    "": "of the whole network",
    "params": "integer: learnable parameters",
    "buffers": "integer: running statistics",
    "macs": "integer: multiply-accumulates of one input",
    "flops": "integer: two a MAC",
    "layers": "integer?: the depth, as the papers count; null where their rule means nothing",
    "convolutions": "integer: all of them",
    "projections": "integer: those of them on shortcuts",
    "gates": "integer: those of them in gates",
}
ABOUT: Keys = {**NETWORK, "total": TOTAL}
"""Of an answer about one network."""
LEVEL: Keys = {
    "stage?": "string: conv1, conv2_x, ..., fc",
    "block?": "string: the paper's label, conv2_1",
    "module?": "string: torch's name of the module, layer1.0, or of the first of several layers",
    "times?": "integer?: how many modules that are alike the line stands for, one behind another",
    "path?": "string: torch's name of the layer, layer1.0.conv1",
}
COUNTED: Keys = {
    "params?": "integer: learnable parameters",
    "macs?": "integer: multiply-accumulates of one input",
    "counted?": "integer: in place of macs, by the rule of `convention`",
}
OPERATIONS: Keys = {
    "macs?": "integer: multiply-accumulates of one input",
    "flops?": "integer: two a MAC",
    "operations?": "integer: other elementary operations",
    "counted?": "integer: in place of these, by the rule of `convention`",
}
RULE: Keys = {
    "": "the counting rule that was asked for",
    "name": "string: as --convention takes it",
    "tool": "string: whose it is",
    "version": "string: of the tool",
    "unit": "string: what the tool calls the number",
    "total": "integer: of the whole network",
}
PASSES: Keys = {
    "forward": "integer: MACs of the forward pass",
    "input_gradient": "integer: MACs of the gradient of the input",
    "weight_gradient": "integer: MACs of the gradient of the weights",
    "training": "integer: all three",
}
STEPS = {
    "": "one line for each step",
    "step": "string: what is worked out",
    "formula": "string: in the papers' signs",
    "numbers": "string: the same with the numbers in",
    "result": "integer: what it gives",
}
COMPARED: Keys = {
    "params": "integer: learnable parameters",
    "macs": "integer: multiply-accumulates of one input",
    "flops": "integer: two a MAC",
    "layers": "integer?: the depth, as the papers count; null where their rule means nothing",
}
BESIDE: Keys = {
    "weights": "integer: bytes of the parameters in fp32",
    "memory": "integer: bytes at the worst moment of a training step on one input",
    "activations": "integer: elements that convolutions and matrix products put out",
    "receptive_field": "integer?: pixels across, of the last stage before the classifier; null where it is not known",
}
TO_THE_FIRST: Keys = {
    "delta": "less the first's; null where one of them is not known",
    "ratio": "over the first's; null where that is 0 or one of them is not known",
}
BLOCK: Keys = {
    **COMPARED,
    "name": "string: the block's",
    "channels": "integer: into and out of the block",
    "params": "integer: weights of the convolutions",
    "ratio_params": "number: over the first's",
    "ratio_macs": "number: over the first's",
    "layers": "integer: convolutions on the main path",
    "arithmetic": "string: the weights as products",
}
TENSOR: Keys = {
    "name": "string: as in the first that has it",
    "a": "shape or type: in the first; null where it has none",
    "b": "shape or type: in the second; null where it has none",
    "what": "string: only-a, only-b, shape or dtype",
}
PART: Keys = {
    "": "one for each network, nulls where it has none",
    "name": "string: the network's",
    "params": "integer?: learnable parameters",
    "macs": "integer?: multiply-accumulates of one input",
    "delta_params": "integer?: less the first's, of which what is not there is 0; null where both are not",
    "ratio_params": "number?: over the first's; null where one is not there or that is 0",
    "delta_macs": "integer?: less the first's, of which what is not there is 0; null where both are not",
    "ratio_macs": "number?: over the first's; null where one is not there or that is 0",
    "what": "string?: only-a (the first has it), only-b (this one), changed; null where they are equal",
    "differs?": "changes: of layers, each reading that is another, with its value in the first and in this one",
}
ROUTES: Keys = {
    "params": "integer: as traced",
    "params_module?": "integer?: of the torch module",
    "params_file?": "integer?: of the tensors that a .pt2 lists",
    "macs": "integer: as traced",
    "macs_fvcore?": "integer?: as fvcore counts",
    "macs_torch?": "integer?: half of what torch's flop counter counts",
    "agrees": "string: yes, no or not compared",
}
BLOCKS: Keys = {
    "block": "string: the paper's label, or a module's path",
    "path": "string: torch's",
    "median": "number: the norm at the block's input, over the seeds",
    "spread": "numbers: from the least to the largest",
}
LESION: Keys = {
    "block": "string: deleted, or both that were swapped; in the first line none",
    "path": "string: torch's",
    "error": "numbers?: test error in per cent, mean over the seeds and its standard error",
    "more": "number?: its mean less that of the intact network",
    "why_not": "string?: why it can't be done",
}
AXIS: Keys = {
    "label": "string: what is measured, and by which convention",
    "unit": "string: in what",
    "log": "boolean: whether its scale is logarithmic",
    "categories?": "strings: what stands at 0, 1, 2, ... of an axis without a scale",
}
BYTES: Keys = {
    "weights": "integer: bytes of the weights",
    "buffers": "integer: bytes of running statistics",
    "gradients": "integer: bytes of the weights' gradients",
    "optimizer": "integer: bytes of the optimiser's state",
    "saved": "integer: bytes that autograd keeps for the backward pass",
    "live": "integer: the most bytes that live at once at inference",
}
PEAKS: Keys = {
    **BYTES,
    "training": "integer: bytes at the worst moment of a training step",
    "inference": "integer: bytes at the worst moment at inference",
}
SETTINGS: Keys = {
    "optimizer": "string: sgd, momentum, adam or adamw",
    "dtype": "string: fp32, fp16, bf16 or amp",
    "inplace": "boolean: whether ReLU overwrites its input",
    "checkpoint": "boolean: whether blocks are run again",
}
SCORE: Keys = {
    "figures": "integer: how many there are",
    "computable": "integer: those that are counted here: the next three",
    "by_rounding": "integer: ours has the printed digits",
    "by_cutting": "integer: ours has them if it is cut off instead",
    "different": "integer: ours has other digits, and the remark says why",
    "not_described": "integer: a rule would give them, of networks that are not described here",
    "measured": "integer: errors, times and the like, shown only",
}

COMMANDS: dict[str, Keys] = {
    "summary": {
        **ABOUT,
        "rows": [
            {
                "": "one line for each stage, block, layer, module or operator",
                **LEVEL,
                "operator?": "string: the kind of layer",
                "layer?": "string: what kind of layer it is",
                "kernel?": "integer?: height and width of the window",
                "stride?": "integer?: from one window to the next",
                "padding?": "integer?: zeros on each side",
                "dilation?": "integer?: how far apart the places of the window are",
                "groups?": "integer?: of the channels",
                "input?": "integers: shape of one input",
                "output?": "integers?: shape of the output for one input",
                "architecture?": "string: in the papers' notation",
                **COUNTED,
            }
        ],
        "convention?": RULE,
    },
    "table": {
        "rows": [
            {
                "": "one line for each stage",
                "stage": "string: conv1, conv2_x, ..., fc",
                "output": "integers?: height and width",
                "networks": [
                    {
                        "": "the networks that have it",
                        "name": "string: the network's",
                        "architecture": "string: its blocks, in the papers' notation",
                    }
                ],
            }
        ],
        "networks": [
            {
                "": "one for each network",
                "name": "string: the network's",
                "source": "string?: what was named",
                "macs": "integer: multiply-accumulates of one input",
                "printed": "string?: as its paper prints them",
                "agrees": "string?: by rounding, by cutting or no",
            }
        ],
        "uncounted": [UNCOUNTED],
        "settled?": SETTLED,
    },
    "figures": {
        "rows": [
            {
                "": "one line for each printed figure, all of them or those that were asked for",
                "source": "string: who prints it: He et al. 2015, torchvision 0.29",
                "arxiv": "string?: the paper's number; null for torchvision",
                "paper_table": "string: where: Table 1, Sec 4.1, README, weights",
                "network": "string: what it is printed of, as it is printed",
                "model": "string?: that network as MODEL takes it; null where it has no name here",
                "quantity": "string: what is printed: flops, params, top1_err, ...",
                "printed": "string: as it is printed",
                "unit": "string: G, M, %, MB, ms or px; empty for a plain number",
                "ours": "integer?: our number by that paper's rule; null where there is none",
                "status": "string: by rounding, by cutting, different, not described or measured",
                "rule": "string?: by which ours is counted; null for what is measured",
                "setting": "string?: how it was measured",
                "remark": "string?: why it is different or not described",
            }
        ],
        "tables": [
            {
                "": "one line for each table of these",
                "name": "string: the paper and its table",
                "source": "string: whose it is",
                "arxiv": "string?: the paper's number; null for torchvision",
                "paper_table": "string: as it is headed",
                **SCORE,
            }
        ],
        "score": {"": "over all of these", **SCORE},
    },
    "list": {
        "rows": [
            {
                "": "one line for each network",
                "name": "string: as MODEL takes it",
                "family": "string: whose networks they are",
                "dataset": "string: that its papers train it on",
                "block": "string: basic or bottleneck; empty without blocks",
                "stages": "integers: blocks in each",
                "layers": "integer?: the depth, as the papers count; null where their rule means nothing",
                "params": "integer: learnable parameters",
                "macs": "integer: multiply-accumulates of one input",
                "error": "number?: the first that a paper prints, in per cent: top-1 on ImageNet, or on CIFAR-10",
                "source": "string?: that paper, and the table",
                "setting": "string?: how it was tested",
            }
        ],
        "families": [
            {
                "": "one line for each family of these",
                "name": "string: the family's",
                "count": "integer: how many",
                "names": "strings: as MODEL takes them",
                "params_least": "integer: learnable parameters of the smallest",
                "params_most": "integer: of the largest",
                "macs_least": "integer: multiply-accumulates of one input, of the cheapest",
                "macs_most": "integer: of the dearest",
            }
        ],
    },
    "flops": {
        **ABOUT,
        "rows": [
            {
                "": "one line for each stage, block, layer, module or operator; with --reconcile for each convention",
                **LEVEL,
                "layer?": "string: torch's name of the layer",
                "operator?": "string: the kind of layer",
                **OPERATIONS,
                **{f"{key}?": words for key, words in PASSES.items()},
                "name?": "string: the convention",
                "counted?": "integer?: by the convention; null where its rule is not known",
                "unit?": "string: what the tool calls the number",
                "ledger?": "string: the way there from our MACs",
                "checked?": "string: whether the tool itself was run on this network",
                "tool?": "string: whose convention it is",
                "remark?": "string: what else there is to know",
            }
        ],
        "operators?": [{"": "one for each operator", "operator": "string: its name", **OPERATIONS}],
        "engine?": "string: who counted: trace, fvcore or torch",
        "convention?": RULE,
        "ledgers?": [
            {
                "": "with --reconcile: factor · macs + the terms = counted",
                "name": "string: the convention",
                "factor": "integer: of our MACs",
                "macs": "integer: ours",
                "terms": [
                    {
                        "": "what is added",
                        "term": "string: for what",
                        "count": "integer: how much",
                    }
                ],
                "counted": "integer?: the sum; null where something is missing",
                "missing": "strings: layers of which it is not known how the tool counts them",
            }
        ],
        "training?": {"": "with --backward: of the whole network", **PASSES},
    },
    "memory": {
        **ABOUT,
        "rows": [
            {
                "": "one line for the input, then for each stage, block, layer, module or operator, for the whole batch",
                **LEVEL,
                "layer?": "string: torch's name of the layer",
                "operator?": "string: the kind of layer",
                **{key: words.replace("integer", "integer?") for key, words in BYTES.items()},
            }
        ],
        **SETTINGS,
        "budget": "integer?: bytes, as typed",
        "fits": "boolean?: whether the batch fits it in training; null without a budget",
        "bytes": {"": "of the whole network", **PEAKS},
        "uses": [
            {
                "": "training and inference",
                "use": "string: which of them",
                "bytes": "integer: at its peak",
                "fits?": "boolean: whether the batch fits the budget",
                "largest_batch?": "integer: that the budget holds",
            }
        ],
    },
    "check": {
        "rows": [
            {
                "": "one line for each limit, then one for each number of a baseline",
                "network": "string: as the table of pyproject.toml is called, or the network",
                "quantity": "string: params, macs, memory, ...",
                "actual": "integer?: what it is; null where the network could not be read",
                "limit": "integer?: at most or at least; null without one",
                "room": "integer?: what is left to the limit, negative beyond it",
                "ok": "boolean: whether the limit is met",
                "where": "string?: the stage, block or module that has most of it",
            }
        ],
        "networks": [
            {
                "": "the settings that bytes depend on",
                "network": "string: the same as in the rows",
                "batch": "integer: inputs at once",
                "dtype": "string: fp32, fp16, bf16 or amp",
                "optimizer": "string: sgd, momentum, adam or adamw",
                "use": "string: training or inference",
            }
        ],
        "changes": [
            {
                "": "with --baseline: what is another number now",
                "network": "string: the same as in the rows",
                "quantity": "string: params, macs, memory, ...",
                "before": "integer?: in the baseline; null if it is new",
                "actual": "integer?: now; null if it is not known",
                "change": "integer?: now less before",
                "what": "string: grew, shrank, new or not known",
            }
        ],
        "problems": [
            {
                "": "networks that could not be read",
                "network": "string: the same as in the rows",
                "what": "string: why",
                "hint": "string: what to type",
            }
        ],
        "uncounted": [UNCOUNTED],
        "settled?": SETTLED,
    },
    "compare": {
        "rows": [
            {
                "": "one line for each network, or for each block; none where a file's network is not known",
                "name": "string: the network's; the second of one name is resnet18 (2)",
                **COMPARED,
                **{f"{key}?": words for key, words in BESIDE.items()},
                **{
                    f"{what}_{key}?": f"{'integer' if what == 'delta' else 'number'}?: {words}"
                    for key in (*COMPARED, *BESIDE)
                    for what, words in TO_THE_FIRST.items()
                },
                "channels?": "integer: into and out of a block",
                "arithmetic?": "string: a block's weights as products",
                "source?": "string?: what was named",
            }
        ],
        "fields?": [
            {
                "": "what differs in the networks' descriptions",
                "field": "string: its name, as in TOML",
                "networks": [
                    {
                        "": "one for each network",
                        "name": "string: the network's",
                        "value": "value: of the field; null where there is no such field",
                    }
                ],
            }
        ],
        "errors?": [
            {
                "": "what papers print: one for each column of a table that has one of the networks",
                "quantity": "string: top1_err, top5_err, cifar10_err or cifar100_err",
                "networks": [
                    {
                        "": "one for each network, nulls where it is not printed",
                        "name": "string: the network's",
                        "printed": "number?: in per cent",
                        "delta": "number?: less the first's",
                        "ratio": "number?: over the first's",
                        "source": "string?: paper, table and setting, and of which variant it is",
                    }
                ],
            }
        ],
        "level?": "string: stage, block, layer, module or operator: which of the following lists there is",
        **{
            f"{level}s?": [
                {
                    "": f"networks by {level}",
                    key: f"string: {words}",
                    "networks": [PART],
                }
            ]
            for level, key, words in (
                ("stage", "stage", "conv1, conv2_x, ..., fc"),
                ("block", "block", "the paper's label, conv2_1"),
                ("layer", "path", "torch's name of the layer"),
                ("module", "module", "torch's name of the module"),
                ("operator", "operator", "the kind of layer"),
            )
        },
        "files?": "strings: two weight files, as typed",
        "tensors?": [{"": "of two weight files: those that differ", **TENSOR}],
        "figure5?": [{"": "blocks at similar cost (He et al. 2015, Figure 5)", **BLOCK}],
        "uncounted?": [UNCOUNTED],
        "settled?": SETTLED,
    },
    "explain": {
        **ABOUT,
        "rows": [
            {
                "": "one line for each step; of a network alone one for each number that can be explained",
                **{f"{key}?": words for key, words in STEPS.items() if key},
                "what?": "string: the number",
                "unit?": "string: of what",
                "command?": "string: that explains it",
            }
        ],
        "balance?": [{**STEPS, "": "explain shape: the MACs of one layer in each stage"}],
        **{f"{key}?": words for key, words in SETTINGS.items()},
        "bytes?": {"": "explain memory: of the whole network", **PEAKS},
        "training?": [{**STEPS, "": "explain memory: the worst moment of a training step"}],
        "inference?": [{**STEPS, "": "explain memory: the worst moment at inference"}],
        "reasons?": [
            {
                "": "explain memory: why layers keep what they do",
                "layer": "string: the kind of layer",
                "keeps": "string: for the backward pass",
                "why": "string: what its gradient needs it for",
            }
        ],
    },
    "conv": {
        "convolution": {
            "": "as typed",
            "in_channels": "integer: of the input",
            "out_channels": "integer: of the output",
            "kernel": "integer: height and width",
            "stride": "integer: from one place to the next",
            "padding": "integer: zeros on each side",
            "groups": "integer: of the channels",
            "bias": "boolean: whether there is one an output channel",
        },
        "input": "integers: channels, height and width",
        "output": "integers: channels, height and width",
        "rows": [STEPS],
        "total": {
            "": "of the convolution",
            "params": "integer: learnable parameters",
            "macs": "integer: multiply-accumulates of one input",
            "flops": "integer: two a MAC",
        },
        "comparison?": [
            {
                "": "a 3×3 and this one",
                "name": "string: the kernel",
                "output": "integers: channels, height and width",
                "params": "integer: learnable parameters",
                "ratio_params": "number: over the 3×3's",
                "macs": "integer: multiply-accumulates of one input",
                "ratio_macs": "number: over the 3×3's",
                "receptive_field": "integer: pixels across",
            }
        ],
    },
    "receptive-field": {
        **ABOUT,
        "rows": [
            {
                "": "one line for each stage, block, layer or module: of its last layer's output",
                **LEVEL,
                "output": "integers?: shape of the output for one input",
                "stride": "of a side: pixels from one window to the next; a number, or one for each side where they are unlike; null where they do not step evenly, or all see alike",
                "receptive_field": "integers?: height and width in pixels, of a film time before them, of a sequence its length; null where it is not known",
                "padding": "of a side: how far the first window reaches out of the input; a number, or one for each side",
                "centre": "of a side: of the first window, may end in .5; a number, or one for each side",
                "seen": "integers?: what the middle neuron sees inside of the input",
            }
        ],
    },
    "features": {
        **ABOUT,
        "rows": [
            {
                "": "one line for each feature map",
                "name": "string: C1, C2, ...",
                "path": "string: torch's module that puts it out",
                "stage": "string: conv1, conv2_x, ...",
                "channels": "integer: of the map",
                "stride": "of a side: in pixels of the input; a number, or one for each side where they are unlike; null where it is not known, or all see alike",
                "size": "integers: height and width",
                "receptive_field": "integers?: height and width in pixels, as receptive-field has them",
            }
        ],
    },
    "paths": {
        **ABOUT,
        "total": {
            **TOTAL,
            "blocks": "integer: with a shortcut",
            "paths": "integer: 2 to the power of the blocks",
        },
        "rows": [
            {
                "": "the exact distribution: one line for each length",
                "blocks": "integer: that a path goes through",
                "layers": "integer: of such a path",
                "paths": "integer: how many there are",
                "least": "integer?: pixels across that the narrowest of them sees; null where that is no sum over blocks",
                "most": "integer?: and the widest",
            }
        ],
        "histogram": [
            {
                "": "the bars that are drawn, of several lengths each where there are many",
                "blocks": "string: of the paths in it",
                "layers": "string: of the paths in it",
                "paths": "integer|string: how many; over 2^64 to four digits",
                "receptive_field": "string: pixels across, from the least to the most",
            }
        ],
    },
    "gradient": {
        "rows": [
            {
                "": "one line for each network, or at another --level for each block or module of the first",
                "name?": "string: the network or variant",
                "blocks?": "integer: of the network",
                "factor?": "number?: the shortcuts' factor; null where there are none",
                "first?": "number: the norm at the first block, the median over the seeds",
                "first_spread?": "numbers: from the least to the largest",
                "last?": "number: the norm at the last block",
                "last_spread?": "numbers: from the least to the largest",
                "ratio?": "number?: first over last",
                "params?": "integer: learnable parameters, with --variants",
                "macs?": "integer: multiply-accumulates, with --variants",
                "error?": "string: of ResNet-110 as the paper prints it, with --variants",
                **{f"{key}?": words for key, words in BLOCKS.items()},
                "layers?": "integer?: with --shatter, the depth, as the papers count; null of noise",
                **{
                    f"lag_{lag}?": f"numbers: the autocorrelation of points {lag} apart, mean and standard error"
                    for lag in (1, 2, 4, 8, 16)
                },
            }
        ],
        "rows_N?": [
            {
                "": "at another --level than network, those of each further network: rows_1, rows_2, ...",
                **BLOCKS,
            }
        ],
        "seeds": "integer: networks drawn and measured",
        "batch?": "integer: inputs at once; not with --shatter",
        "networks": [
            {
                "": "one for each network",
                "name": "string: the network or variant",
                "model": "string: the network's name",
                "input": "integers: channels, height and width; of a module with the batch before them",
                "autocorrelation?": "lists of numbers: with --shatter, for each seed at lags 1, 2, 3, ...",
                "blocks?": [
                    {
                        "": "from the input on",
                        "path": "string: torch's",
                        "label": "string: the paper's",
                        "norms": "numbers: one for each seed",
                    }
                ],
            }
        ],
        "uncounted": [UNCOUNTED],
        "settled?": SETTLED,
    },
    "lesion": {
        "rows": [
            {
                "": "one line for each network, or at --level block for each lesion of the first",
                "name?": "string: the network",
                "blocks?": "integer: of the network",
                "lesions?": "integer: how many were done, one at a time",
                "intact?": "numbers: test error in per cent, mean over the seeds and its standard error",
                "median?": "numbers: the same of the median over the lesions",
                "spread?": "numbers: the least and the largest error after a lesion, means over the seeds",
                **{f"{key}?": words for key, words in LESION.items()},
            }
        ],
        "rows_N?": [{"": "at --level block, those of each further network", **LESION}],
        "shuffle": "boolean: whether blocks were swapped, and not deleted",
        "networks": [
            {
                "": "one for each network",
                "name": "string: as the folder has it",
                "seeds": "integers: of its runs",
                "intact": "numbers: test error in per cent, for each seed",
                "lesions": [
                    {
                        "": "from the input on",
                        "label": "string: the paper's name of the block, or of both",
                        "paths": "strings: torch's, of the modules",
                        "why_not": "string?: why it can't be done; null where it is",
                        "errors": "numbers: test error in per cent, for each seed",
                    }
                ],
            }
        ],
        "uncounted": [UNCOUNTED],
        "settled?": SETTLED,
    },
    "plot": {
        "kind": "string: cost, tradeoff, memory, receptive-field, gradient, shatter or paths",
        "title": "string: of the chart",
        "x": {"": "the horizontal axis", **AXIS},
        "y": {"": "the vertical axis", **AXIS},
        "series": [
            {
                "": "points that belong together",
                "name": "string: as the legend has it",
                "kind": "string: line, scatter, bar or front",
                "points": [
                    {
                        "": "in their order",
                        "x": "number: raw",
                        "y": "number: raw",
                        "label?": "string: its name",
                        "low?": "number: where the spread of y begins, of what the notes say",
                        "high?": "number: where it ends",
                    }
                ],
            }
        ],
        "bands": [
            {
                "": "stretches of the x axis that have a name",
                "name": "string: such as a stage",
                "start": "number: on the x axis",
                "end": "number: on the x axis",
            }
        ],
        "levels": [
            {
                "": "named values of y",
                "name": "string: what it is",
                "value": "number: on the y axis",
            }
        ],
    },
    "build": {
        **NETWORK,
        "total": {
            "": "as measured",
            "params": "integer: learnable parameters",
            "tensors": "integer: of the state dict",
        },
        "rows": [
            {
                "": "one line for each stage, as measured, or for each module of others",
                "stage?": "string: conv1, conv2_x, ..., fc",
                "path?": "string: torch's modules",
                "module?": "string: its path",
                "output": "integers?: shape of the output for one input; of a module with the batch",
                "tensors": "integer: of the state dict",
                "params": "integer: learnable parameters",
            }
        ],
        "seed": "integer: of the initial weights",
        "weights": "string?: the file that was loaded",
        "file": "string?: the file that was written",
    },
    "verify": {
        "rows": [
            {
                "": "one line for each network, or for each stage or module where there is one",
                "stage?": "string: conv1, conv2_x, ..., fc",
                "module?": "string: its path",
                "name?": "string: the network's",
                **ROUTES,
                "published?": "string: how many of the printed figures are as on record",
            }
        ],
        "uncounted": [UNCOUNTED],
        "settled?": SETTLED,
    },
    "train": {
        "folder": "string: where everything is",
        "recipe": {
            "": "how they are trained",
            "name": "string: digits or he2015-cifar, before anything was changed",
            "iterations": "integer: of a batch each",
            "batch": "integer: images in each",
            "lr": "number: the rate to begin with",
            "drops": "integers: iterations from which on it is less",
            "factor": "number: what a drop multiplies it by",
            "momentum": "number: of SGD",
            "weight_decay": "number: of all parameters",
            "warmup": "integer: iterations at the rate times the factor first",
            "warmup_from": "integer: in networks of at least so many layers",
            "padding": "integer: pixels around an image before it is cropped",
            "flip": "boolean: whether half of the images are mirrored",
            "held_out": "integer: training images that are not trained on",
            "every": "integer: iterations to a line of the curve and a checkpoint",
            "dtype": "string: of weights and images",
            "amp": "boolean: autocast to bfloat16",
            "channels_last": "boolean: how images lie in memory",
            "threads": "integer: of each run on a CPU",
        },
        "data": {
            "": "what they are trained on",
            "source": "string: as typed",
            "name": "string: of the data set",
            "channels": "integer: of an image",
            "height": "integer: of an image",
            "width": "integer: of an image",
            "classes": "integer: of the data set",
            "train": "integer: images that are trained on",
            "test": "integer: images for testing",
            "sha256": "string: of all images and labels",
        },
        "seeds": "integers: each trains every network",
        "rows": [
            {
                "": "one line for each network and seed",
                "network": "string: its name",
                "seed": "integer: of weights, order and crops",
                "iterations": "integer: that are done",
                "train_error": "number?: of all training images in per cent; null before the last iteration",
                "test_error": "number?: of the test images in per cent; null before the last iteration",
            }
        ],
        "networks": [
            {
                "": "one for each network that has a run at its end",
                "network": "string: its name",
                "layers": "integer?: as papers count; null where that means nothing",
                "seeds": "integer: that are at their end",
                "train_error": "number: mean over them, per cent",
                "train_se": "number?: its standard error; null with one seed",
                "test_error": "number: mean over them, per cent",
                "test_se": "number?: its standard error; null with one seed",
                "published?": "number?: test error as printed, where the recipe is the paper's",
            }
        ],
        "differences": [
            {
                "": "a deeper network minus the shallowest that differs from it in depth alone, paired by seed",
                "deep": "string: the deeper one's name",
                "shallow": "string: the other's",
                "seeds": "integer: pairs",
                "train_difference": "number: mean, points of per cent",
                "train_se": "number?: its standard error; null with one seed",
                "test_difference": "number: mean, points of per cent",
                "test_se": "number?: its standard error; null with one seed",
                "verdict": "string?: higher or lower training error; null within twice the standard error, or with one seed",
            }
        ],
    },
    "identify": {
        "file": "string: as typed",
        "network?": "string?: as MODEL is typed, settled or taken; null where none fits",
        "fits?": "boolean: whether the tensors are the network's, or the graph computes the same",
        "settled?": "boolean: whether it is known which network it is; false where it is taken, or none fits",
        "by?": "string?: why it is that one; null where it is not settled",
        "candidates?": [
            {
                "": "every network that is known here with these tensors, the taken one first",
                "network": "string: as MODEL is typed",
                "macs": "integer: multiply-accumulates of one input",
                "differs": "string: what it has otherwise than the first",
            }
        ],
        "like?": "string?: the listed network that is most alike; null where none is",
        "sure?": "string: exact, backbone exact or nearest; none for a graph that is like no listed one",
        "spec?": "spec: every field of the network's description",
        "classes?": "integer?: outputs of the classifier; null without one",
        "params?": {
            "": "learnable parameters",
            "file": "integer: of the file",
            "network": "integer?: of the network",
        },
        "dtypes?": "counts: tensors of each type",
        "norm?": "string: whole, no statistics, folded or none",
        "scheme?": "string: whose names the tensors have",
        "prefix?": "string: before every name",
        "wrapper?": "string: what the state dict stands in",
        "tensors?": {
            "": "how many there are",
            "file": "integer: in the file",
            "beside": "integer: that are none of the network's",
        },
        "differences?": [
            {
                "": "tensors that are otherwise in the network",
                "name": "string: as the network has it",
                "file": "integers?: shape in the file",
                "network": "integers?: shape in the network",
            }
        ],
        "cannot_tell?": "strings: what no tensor says",
        "origin?": NETWORK["origin"],
        "inputs?": NETWORK["inputs"],
        "operators?": "counts: operations of each kind, of a graph",
        "blocks?": "integer: residual blocks of a graph",
        "uncounted?": [UNCOUNTED],
        "format?": "string: how the file is stored",
        "bytes?": "integer: its size",
        "against?": "string: the network or file that --against names",
        "equal?": "boolean: whether every tensor is that one's",
        "rows": [
            {
                "": "the properties; with --keys the tensors, with --against those that differ",
                "property?": "string: which",
                "value?": "integer|string: as it is printed",
                "name?": "string?: in the file",
                "ours?": "string?: here",
                "shape?": "integers: of the tensor",
                "dtype?": "string: of its numbers",
                "numbers?": "integer: how many it has",
                **{f"{key}?": words for key, words in TENSOR.items() if key != "name"},
            }
        ],
        "total?": {
            "": "of the network as of every one; with --keys of the tensors",
            "tensors?": "integer: that match",
            "numbers?": "integer: in them",
            **{f"{key}?": words for key, words in TOTAL.items() if key},
        },
    },
}
"""Every command that prints JSON, in the order of the program's help; all have `schema`, `command` and `notes`."""
