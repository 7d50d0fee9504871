"""A graph whose sizes are numbers -> rows: its operations as leaves, in their modules, in the order of execution."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from math import prod
from types import ModuleType

from resnet_cli.errors import printable
from resnet_cli.graphs.graph import (
    BUFFER,
    CONSTANT,
    PARAMETER,
    Graph,
    Module,
    Node,
    Tensor,
    bodies,
    captured,
    within,
)
from resnet_cli.graphs.groups import Draft, grouped
from resnet_cli.graphs.op import Op, Undescribed
from resnet_cli.graphs.strides import plain
from resnet_cli.layers.arithmetic import Shape
from resnet_cli.layers.base import Layer
from resnet_cli.layers.moves import Untold
from resnet_cli.layers.products import Attention
from resnet_cli.layers.shaping import Copy, Stored, View
from resnet_cli.layers.uncounted import Uncounted
from resnet_cli.trace import INPUT as OF_INPUT
from resnet_cli.trace import Place, Row, modules

FURTHER = Untold("which part it is of what was computed is not read")
MOST_VIEWS = 200
"""Through so many others may a view look: each write into it is one into all of them."""
STORED = (PARAMETER, BUFFER, CONSTANT)
"""Kinds of tensors that lie in the file."""


def _format(graph: Graph) -> ModuleType:
    """The module that makes leaves of the format's operators."""
    if graph.format == "onnx":
        from resnet_cli.graphs.onnx import leaves as onnx

        return onnx
    from resnet_cli.graphs.pt2 import leaves as pt2

    return pt2


def rows(graph: Graph) -> list[Row]:
    """A row for each operation; what nothing reads and costs nothing is left out.

    Raises nothing for what is not known: that is an `Uncounted` row.
    """
    if graph.format == "onnx":
        from resnet_cli.graphs.onnx.fused import fused

        graph = fused(graph)
    author = _Author(graph)
    for node in graph.nodes:
        author.add(node)
    drafts, results = _needed(
        author.drafts, [author.made[name] for name in graph.outputs if name in author.made]
    )
    stacks = _called([_whole_stack(draft.modules) for draft in drafts])
    drafts = [draft._replace(modules=stack) for draft, stack in zip(drafts, stacks, strict=True)]
    return _placed(grouped(drafts, results), author.tensors)


def batch_of(graph: Graph) -> int | None:
    """How many inputs the graph takes at once, which rows leave out; None where they cannot.

    That is what all inputs lead with, and where it is more than one, all that is made of them, too, and
    no layer takes one behind another.
    """
    sizes = {(graph.tensors[name].shape or (None,))[0] for name in graph.inputs}
    size = sizes.pop() if len(sizes) == 1 else None
    if not isinstance(size, int) or size < 1:
        return None
    return size if size == 1 or leads(graph, size) else None


def leads(graph: Graph, size: int) -> bool:
    """Whether all that is made of the inputs leads with this size, and no layer takes one behind another."""
    reached = {*graph.inputs}
    read = {*graph.outputs}.union(*(node.inputs for node in graph.nodes))
    leads_with_steps = _format(graph).leads_with_steps
    for node in graph.nodes:
        if reached.isdisjoint(node.inputs):
            continue
        if leads_with_steps(node):
            return False
        for name in read.intersection(node.outputs):
            tensor = graph.tensors[name]
            if tensor.value is None and (tensor.shape or (None,))[0] != size:
                return False
            reached.add(name)
    return True


def cut(graph: Graph) -> int:
    """Of how many inputs the graph is whose rows are of one: the batch that was left out of them, else 1."""
    return batch_of(graph) or 1


class _Author:
    """One graph: which row makes each tensor, and where tensors lie in one another's storage."""

    def __init__(self, graph: Graph) -> None:
        self.graph, self.tensors = graph, dict(graph.tensors)
        self.format = _format(graph)
        self.batch = batch_of(graph)
        self.paths = frozenset(tensor.path for tensor in graph.tensors.values() if tensor.path)
        self.drafts: list[Draft] = []
        self.made: dict[str, int] = {name: OF_INPUT - at for at, name in enumerate(graph.inputs)}
        self.base: dict[
            str, tuple[str, bool]
        ] = {}  # a view -> what it looks at, whether at all of it
        self.users: dict[
            str, set[str]
        ] = {}  # a storage's first name -> its views that are not stale
        self.roots: dict[str, str] = {}
        self.laid: set[str] = set()  # tensors laid otherwise than the file says
        self.views: dict[str, int] = {}  # how many views it looks through
        self.stale: set[str] = set()
        self.after: dict[str, str] = {}  # of no known shape: behind which operation
        self.learned = {t.name for t in graph.tensors.values() if t.kind == PARAMETER}
        self.waiting = self.unread()
        self.store("")

    def add(self, node: Node) -> None:
        """The rows of an operation."""
        for module in node.modules if self.waiting else ():
            self.store(module.path)
        name, writes = self.format.base(node.operator)
        outputs = [output for output in node.outputs if output]
        if name in self.format.IGNORED or not outputs:
            return
        if self.graph.format == "onnx" and all(
            self.tensors[o].kind in STORED or self.tensors[o].value is not None for o in outputs
        ):
            return  # what stands in the file, and arithmetic on sizes
        if name in self.format.ALIASES:
            source = self.tensors.get("".join(node.inputs[:1]))
            if source and source.kind in STORED:
                self.rename(outputs[0], source)
                return
        if name in self.format.TURNS:
            source = self.tensors.get("".join(node.inputs[:1]))
            if source and source.kind == PARAMETER and len(source.shape or ()) == 2:
                turned = self.tensors[outputs[0]]
                self.rename(outputs[0], source._replace(shape=turned.shape, strides=turned.strides))
                return
        if name in self.format.SPLITS:
            for at, output in enumerate(outputs):
                before = {"before": tuple(outputs[:at])}
                one = node._replace(outputs=(output,), attributes=node.attributes | before)
                self.row(one, name, f"{name}_{at}")
            return
        first = self.row(node, name, self.format.called(name))
        for output in outputs[1:]:
            shape = self.shape(output)
            if shape is None:
                self.made[output] = first
                continue
            layer = Copy(name, f"{name}'s further output", shape, FURTHER)
            read = (self.drafts[first].output,)
            self.made[output] = self.put(Draft(layer, (first,), read, shape, name, node.modules))
        if writes and node.inputs:
            self.written(node.inputs[0], outputs[0])

    def rename(self, name: str, source: Tensor) -> None:
        """A stored tensor's other name."""
        self.tensors[name] = source
        if source.kind == PARAMETER:
            self.learned.add(name)

    def shape(self, name: str) -> Shape | None:
        """A tensor's shape for one input, where it is known."""
        try:
            return Op(Node("", "", (), (), {}), self.tensors, self.batch, "").shape(name)
        except Undescribed:
            return None

    def put(self, draft: Draft) -> int:
        self.drafts.append(draft)
        return len(self.drafts) - 1

    def row(self, node: Node, name: str, label: str) -> int:
        """The row of an operation's first output."""
        op = Op(node, self.tensors, self.batch, label, self.paths, self.learned)
        try:
            if bodies(node):
                raise Undescribed(f"its body is not followed, {self.products(node)} in it")
            layer = self.format.leaf(op) if op.reads else Copy(label, "constant", op.result)
            _check(layer, tuple(self.shape(read) or () for read in op.reads), op.result)
        except Undescribed as problem:
            layer = self.uncounted(op, str(problem))
        except (ArithmeticError, LookupError, TypeError, ValueError, StopIteration):
            layer = self.uncounted(op, "its arguments do not fit its description")
        reads = tuple(self.read(read, node.modules) for read in op.reads)
        inputs = tuple(self.output(at) for at in reads)
        output = self.shape(op.output) or ()
        at = self.put(
            Draft(layer, reads, inputs, output, label, node.modules, (*op.own.items(),), op)
        )
        self.made[op.output] = at
        if layer.tensors() or not self.learned.isdisjoint(op.reads):
            self.learned.update(node.outputs)
        self.lay(op, layer)
        if op.reads and layer.shares(False, False):
            whole = prod(output) == prod(inputs[0])
            self.lies_in(op.output, op.reads[0], whole)
            self.use(op.output)
        return at

    def lay(self, op: Op, layer: Layer) -> None:
        """How a kernel's attention is laid, and what only turns it: as its query, whichever kernel wrote the file."""
        if isinstance(layer, Attention):
            laid = op.laid(op.reads[0]).dense() if not layer.whole else plain(op.dims(op.output))
        elif self.laid.intersection(op.reads[:1]) and (order := self.format.turned(op)):
            laid = op.laid(op.reads[0]).turned(*order)
        else:
            return
        self.laid.add(op.output)
        self.tensors[op.output] = self.tensors[op.output]._replace(strides=laid.strides)

    def lies_in(self, view: str, parent: str, whole: bool) -> None:
        """A tensor lies in another's storage; one that looks through too many others is taken for a copy."""
        views = self.views.get(parent, 0) + 1
        if view != parent and view not in self.base and views <= MOST_VIEWS:
            self.base[view] = (parent, whole)
            self.views[view] = views
            self.roots[view] = self.roots.get(parent, parent)

    def use(self, view: str) -> None:
        self.users.setdefault(self.roots.get(view, view), set()).add(view)

    def products(self, node: Node) -> str:
        """What multiplies in the bodies of an operation, in words."""
        operators = (self.format.base(inner.operator)[0] for inner in within(node))
        times = Counter(name for name in operators if name in self.format.PRODUCTS)
        return ", ".join(f"{name} ×{n}" for name, n in times.most_common()) or "without a product"

    def uncounted(self, op: Op, reason: str) -> Layer:
        """A row for what is not described; it has the parameters that its bodies use."""
        node = op.node
        used = captured(node)
        op.reads = [
            name
            for name in dict.fromkeys((*node.inputs, *used))
            if name and op.is_read(name) and not (name in used and self.is_parameter(name))
        ]
        op.own = {name: name for name in used if self.is_parameter(name)}
        weights = {name: self.tensors[name] for name in op.own}
        for inner in (body for each in (node, *within(node)) for body in bodies(each)):
            weights |= {n: t for n, t in inner.tensors.items() if t.kind == PARAMETER}
        operator = ".".join(
            filter(None, (node.domain.replace("aten", ""), self.format.base(node.operator)[0]))
        )
        first = next((self.after[name] for name in op.reads if name in self.after), "")
        if first:
            reason = f"shape unknown after {first}"
        lost = [name for name in node.outputs if name and self.shape(name) is None]
        self.after.update(
            dict.fromkeys(lost, first or printable(self.format.base(op.node.operator)[0]))
        )
        shapes = {name: known(tensor) for name, tensor in weights.items()}
        return Uncounted(op.label, printable(operator), reason, self.shape(op.output), shapes)

    def is_parameter(self, name: str) -> bool:
        return name in self.tensors and self.tensors[name].kind == PARAMETER

    def output(self, at: int) -> Shape:
        if at <= OF_INPUT:
            return self.shape(self.graph.inputs[OF_INPUT - at]) or ()
        return self.drafts[at].output

    def read(self, name: str, modules: tuple[Module, ...]) -> int:
        """The row that makes a tensor: for what is stored one of its own, for a view of what was written since, again."""
        again = [name]
        while again[-1] in self.stale:
            self.stale.discard(again[-1])
            self.use(again[-1])
            again.append(self.base[again[-1]][0])
        for each in reversed(again):
            if each not in self.made:
                self.made[each] = self.stored(each)
            elif each != again[-1]:
                source = self.made[self.base[each][0]]
                shape = self.shape(each) or ()
                before = self.drafts[self.made[each]].layer
                move = before.move if isinstance(before, View) else FURTHER
                view = View("view", "slice", shape, move)
                self.made[each] = self.put(
                    Draft(view, (source,), (self.output(source),), shape, "view", modules)
                )
        return self.made[name]

    def stored(self, name: str) -> int:
        """The row of a parameter, buffer or constant that is read as it is."""
        tensor = self.tensors[name]
        learned = tensor.kind == PARAMETER
        operator = "parameter" if learned else "buffer" if tensor.kind == BUFFER else "constant"
        dims = known(tensor)
        if tensor.shape is None or len(dims) != len(tensor.shape):
            why = tensor.why or "its shape is not known"
            return self.put(Draft(Uncounted(name, operator, why), (), (), (), name, ()))
        shape = dims[1:] if self.batch == 1 and dims[:1] == (1,) else dims
        layer = Stored(name, operator, shape, dims, learned)
        return self.put(Draft(layer, (), (), shape, name, (), (("", name),)))

    def written(self, target: str, result: str) -> None:
        """Later readers of what lies in the same storage read what was written there."""
        root = self.roots.get(target, target)
        name, at = target, self.made[result]
        self.lies_in(result, target, True)
        self.made[name] = at
        while name in self.base:
            parent, whole = self.base[name]
            if not whole:
                shape = self.shape(parent) or ()
                source = self.read(parent, ())
                draft = Draft(
                    Copy("write", "writing", shape),
                    (source, at),
                    (self.output(source), self.output(at)),
                    shape,
                    "write",
                    self.drafts[at].modules,
                )
                at = self.put(draft)
            self.made[parent] = at
            name = parent
        chain = {target, result}
        name = target
        while name in self.base:
            name = self.base[name][0]
            chain.add(name)
        users = self.users.get(root, set())
        self.stale |= users - chain
        self.users[root] = users & chain

    def unread(self) -> dict[str, list[str]]:
        """The parameters that no operation reads, by the module that holds them, "" for one that never runs."""
        nodes = self.graph.nodes
        names = {name for node in nodes for name in (*node.inputs, *captured(node))}
        read = {self.tensors[name].name for name in names & self.tensors.keys()}
        runs = {module.path for node in nodes for module in node.modules}
        holders: dict[str, list[str]] = {}
        for name, tensor in self.tensors.items():
            if tensor.kind == PARAMETER and tensor.name not in read and tensor.shape is not None:
                holder = tensor.path.rpartition(".")[0]
                holders.setdefault(holder if holder in runs else "", []).append(name)
        return holders

    def store(self, holder: str) -> None:
        """Rows for what no operation reads of a module's parameters."""
        for name in self.waiting.pop(holder, ()):
            self.made[name] = self.stored(name)


def known(tensor: Tensor) -> Shape:
    """The sizes of a tensor that are known."""
    return tuple(size for size in tensor.shape or () if isinstance(size, int))


def _check(layer: Layer, x: tuple[Shape, ...], y: Shape) -> None:
    """Raises `LookupError` or `ValueError` for a layer that has no answer for what it reads and puts out."""
    layer.macs(x, y)
    layer.operations(x, y)
    if x and layer.output_shape(*x) != y:
        raise ValueError("another shape")
    for at in layer.saves(x, y).inputs:
        x[at]


def _needed(drafts: list[Draft], results: Iterable[int]) -> tuple[list[Draft], set[int]]:
    """The rows without those that cost nothing and that nobody reads, and which of them are results."""
    read = set(results)
    keep = [False] * len(drafts)
    for at in reversed(range(len(drafts))):
        draft = drafts[at]
        costs = draft.layer.tensors() or draft.layer.macs(draft.inputs, draft.output)
        keep[at] = at in read or bool(costs) or isinstance(draft.layer, Uncounted)
        if keep[at]:
            read.update(draft.reads)
    places: dict[int, int] = {}
    kept: list[Draft] = []
    for at, draft in enumerate(drafts):
        if keep[at]:
            places[at] = len(kept)
            kept.append(draft._replace(reads=tuple(places.get(read, read) for read in draft.reads)))
    return kept, {places[at] for at in results if at in places}


def _placed(drafts: list[Draft], tensors: Mapping[str, Tensor]) -> list[Row]:
    """The rows with their paths, each tensor counted where it is met first."""
    calls = Counter(draft.modules for draft in drafts)
    known = {module.path for draft in drafts for module in draft.modules}
    parents = {module.path for draft in drafts for module in draft.modules[:-1]}
    taken: Counter[str] = Counter()
    counted: set[str] = set()
    result = []
    for draft in drafts:
        own = [(label, tensors[name]) for label, name in draft.own]
        inside = tuple(module.path for module in draft.modules)
        path = inside[-1] if inside else ""
        holder = _holder(own, path)
        if holder in known and not holder.startswith(f"{path}." if path else ""):
            holder = ""  # it runs itself, and lends its weight
        if isinstance(draft.layer, Stored):
            path, inside = own[0][1].path or own[0][1].name, ()
        elif holder:
            path = holder  # norms that were folded leave their own module around the convolution
            inside = tuple(each for each in modules(path) if each in known)
        elif not path or calls[draft.modules] > 1:
            key = f"{path}.{draft.label}" if path else draft.label
            path = f"{key}_{taken[key]}" if taken[key] else key
            taken[key] += 1
        if inside and inside[-1] == path and path not in parents:
            inside = inside[:-1]
        shared = tuple(label for label, tensor in own if tensor.name in counted)
        counted.update(tensor.name for _, tensor in own)
        draft.layer.name = path.rpartition(".")[2]
        place = Place(inside, "", "", None, "main")
        result.append(
            Row(path, place, draft.layer, draft.reads, draft.inputs, draft.output, shared)
        )
    return result


def _called(stacks: list[tuple[Module, ...]]) -> list[tuple[Module, ...]]:
    """The modules with their calls, where the file does not number them: one that is left has returned."""
    if any(module.call for stack in stacks for module in stack):
        return stacks
    calls: dict[str, int] = {}
    inside: set[str] = set()
    result = []
    for stack in stacks:
        if stack:  # what is stored stands in no module
            for path in {module.path for module in stack} - inside:
                calls[path] = calls.get(path, -1) + 1
            inside = {module.path for module in stack}
        result.append(tuple(module._replace(call=calls[module.path]) for module in stack))
    return result


def _holder(own: Iterable[tuple[str, Tensor]], module: str) -> str:
    """The module that the first of a layer's tensors is named after.

    An .onnx has but a name, which may be of another tensor of equal numbers: it counts where it is of a
    module beside the operation's own, or of a matrix, which none equals.
    """
    for label, tensor in own:
        name = tensor.path or tensor.name
        if not label or not name.endswith(f".{label}"):
            return ""
        holder = name[: -len(label) - 1]
        beside = holder.rpartition(".")[0] == module.rpartition(".")[0]
        return holder if tensor.path or beside or len(tensor.shape or ()) > 1 else ""
    return ""


def _whole_stack(modules: tuple[Module, ...]) -> tuple[Module, ...]:
    """The modules with those between that were never called, as a list of modules is not."""
    whole: list[Module] = []
    before = ""
    for module in modules:
        if module.path.startswith(f"{before}." if before else ""):
            parts = module.path[len(before) + 1 if before else 0 :].split(".")
            for end in range(1, len(parts)):
                whole.append(Module(".".join(filter(None, (before, *parts[:end])))))
        whole.append(module)
        before = module.path
    return tuple(whole)
