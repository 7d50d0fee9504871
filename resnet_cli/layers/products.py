"""Products of matrices that are computed, attention, recurrent layers, rows of a table."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from resnet_cli.layers.arithmetic import Factor, Product, Shape
from resnet_cli.layers.base import Kept, OfGraph, Saves, Unweighted, elements
from resnet_cli.layers.convolution import FOR_WEIGHTS
from resnet_cli.layers.grid import Unknown
from resnet_cli.layers.merging import FOR_FACTORS
from resnet_cli.layers.reach import Seen, one, united


class MatrixProduct(Unweighted, OfGraph):
    """Every output is a sum of ``inner`` products: matmul, bmm, einsum, linear with a computed weight.

    ``copied`` are the numbers of each factor that torch puts in another order first, 0 where it need not.
    ``letters`` name the dimensions of its factors, and last those of the output, as einsum does: abk, akc, abc.
    """

    beside = "1 an output for what is added"

    def __init__(
        self, name: str, operator: str, shape: Shape, inner: int, added: bool = False,
        copied: tuple[int, int] = (0, 0), letters: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        super().__init__(name, operator, shape)
        self.inner, self.added, self.copied, self.letters = inner, added, copied, letters

    def products(self, x: tuple[Shape, ...], y: Shape) -> tuple[Product, ...]:
        return ((Factor("inner", self.inner), *(Factor("n", side) for side in y)),)

    def gradients(self, x: tuple[Shape, ...], y: Shape, wanted: Sequence[bool]) -> tuple[int, int]:
        """As many MACs again for each factor that has a gradient; it holds no tensor."""
        return (self.macs(x, y) * sum(wanted[:2]), 0)

    def operations(self, x: tuple[Shape, ...], y: Shape) -> int:
        return elements(y) * self.added

    def saves(self, x: tuple[Shape, ...], y: Shape) -> Saves:
        places = (0, 1) if len(x) > 1 else (0,)
        return Saves(FOR_FACTORS, places, factors=places[1:] and places, copied=self.copied)

    def reach(self, seen: Sequence[Seen | None], x: tuple[Shape, ...], y: Shape) -> Seen:
        own = [
            each and _lettered(each, letters, self.letters[-1])
            for each, letters in zip(seen, self.letters, strict=False)
        ]
        return united([*own, *seen[len(self.letters) - 1 :]], y)


class Attention(Unweighted, OfGraph):
    """softmax(q·kᵀ)·v (Vaswani et al. 2017, Eq. 1), of shapes (…, tokens, width), in one operator.

    All of q·kᵀ is counted also where it is ``causal``, as torch counts; who leaves out what is masked
    counts about half. ``whole``: torch takes it apart into products and keeps the scores, as where something
    learned is added to them; then ``copied`` are the numbers of the values that it puts in another order first.
    ``scores`` and ``widths`` are the shape of q·kᵀ, and how wide a query and a value are, where that is not what
    the shapes read say: with heads side by side, fewer of them for keys, or keys of before.
    """

    beside = "4 a score: scale, exponential, sum, quotient"
    several = True

    def __init__(
        self, name: str, operator: str, shape: Shape, causal: bool, whole: bool = False,
        scores: Shape = (), widths: tuple[int, int] = (0, 0), copied: int = 0,
    ) -> None:  # fmt: skip
        super().__init__(name, operator, shape)
        self.causal, self.whole, self.copied = causal, whole, copied
        self.scores, self.widths = scores, widths

    @property
    def how(self) -> str:  # type: ignore[override]
        """Whether it is causal, and that all scores count."""
        if self.causal:
            return "causal attention: masked scores count too, as torch counts them and flash attention does not"
        return "attention: q·kᵀ and scores·v in full; it is not causal, or its mask is a tensor"

    def products(self, x: tuple[Shape, ...], y: Shape) -> tuple[Product, ...]:
        query, key = x[0], x[1] if len(x) > 1 else x[0]
        value = x[2] if len(x) > 2 else key
        *heads, of_query, of_key = self.scores or (*query[:-1], key[-2])
        d, d_v = self.widths if self.scores else (query[-1], value[-1])
        leading = (Factor("heads", side) for side in heads)
        scores = (*leading, Factor("q", of_query), Factor("k", of_key))
        return ((*scores, Factor("d", d)), (*scores, Factor("d_v", d_v)))

    def gradients(self, x: tuple[Shape, ...], y: Shape, wanted: Sequence[bool]) -> tuple[int, int]:
        """Each of its two products again for either factor, and the scores where they are not kept, once more."""
        scores, values = (
            prod(factor.number for factor in product) for product in self.products(x, y)
        )
        return ((3 - self.whole) * scores + 2 * values if any(wanted) else 0, 0)

    def operations(self, x: tuple[Shape, ...], y: Shape) -> int:
        return 4 * prod(factor.number for factor in self.products(x, y)[0][:-1])

    def saves(self, x: tuple[Shape, ...], y: Shape) -> Saves:
        """What it reads, its output, and a number for each row of scores; or scores, both scaled, and the value."""
        if self.whole:
            scores = prod(factor.number for factor in self.products(x, y)[0][:-1])
            beside = Kept(scores + sum(map(elements, x[:2])))
            return Saves(FOR_FACTORS, (2,), beside=(beside,), copied=(self.copied,))
        rows = Kept(elements(self.scores[:-1] or x[0][:-1]), "statistic")
        read = tuple(range(min(len(x), 4)))
        return Saves("scores are computed again", read, True, (rows,))

    def reach(self, seen: Sequence[Seen | None], x: tuple[Shape, ...], y: Shape) -> Seen:
        query, key, value, *masks = [*seen, None, None][: max(len(seen), 3)]
        rank = len(y)
        own = [
            query and query.over(rank - 1),
            key and key.over(rank - 2, rank - 1),
            value and value.over(rank - 2),
            *(mask and mask.over(len(mask.dims) - 1) for mask in masks),
        ]
        return united([each and _heads(each, y) for each in own], y)


class Recurrent(OfGraph):
    """LSTM, GRU or a plain recurrent layer: ``gates`` of hidden × (in + hidden) at each step.

    ``weights`` are what it multiplies by and adds, by torch's names, of which ``computed`` are not its own;
    ``steps`` are positions of the sequence. Hochreiter & Schmidhuber 1997; Cho et al. 2014.
    """

    beside = "12 a hidden number of a step"
    several = True

    def __init__(
        self,
        name: str,
        operator: str,
        shape: Shape,
        weights: tuple[tuple[str, Shape], ...],
        steps: int,
        computed: tuple[str, ...] = (),
        batch_first: bool = True,
    ) -> None:
        super().__init__(name, operator, shape)
        self.weights, self.steps = weights, steps
        self.computed, self.batch_first = computed, batch_first

    def tensors(self) -> dict[str, Product]:
        return {
            name: _recurrent(name, shape)
            for name, shape in self.weights
            if name not in self.computed
        }

    def products(self, x: tuple[Shape, ...], y: Shape) -> tuple[Product, ...]:
        """Each matrix once a step; biases are no MACs."""
        return tuple(
            (*_recurrent(name, shape), Factor("steps", self.steps))
            for name, shape in self.weights
            if name.startswith("weight")
        )

    def operations(self, x: tuple[Shape, ...], y: Shape) -> int:
        return 12 * elements(y)

    def saves(self, x: tuple[Shape, ...], y: Shape) -> Saves:
        """What is multiplied; the gates of each step are kept beside, which differs by the machine."""
        rows = sum(elements(shape[:-1]) for name, shape in self.weights if "ih" in name)
        return Saves(FOR_WEIGHTS, (0,), True, (Kept(self.steps * rows),))

    def reach(self, seen: Sequence[Seen | None], x: tuple[Shape, ...], y: Shape) -> Seen:
        """All of the sequence; forward alone, the last step does."""
        own = one(seen)
        steps = len(own.dims) - 2 if self.batch_first else 0
        return own.alike(steps).mixed(len(own.dims) - 1, y[-1]).laid(y)


def _recurrent(name: str, shape: Shape) -> Product:
    """The sides of a weight: gates·hidden of each, by the width of the input or the hidden numbers."""
    wide = "gates·hidden", "in" if "ih" in name else "hidden"
    return named(shape, ("projected", "hidden") if "hr" in name else wide[: len(shape)])


def named(shape: Shape, symbols: Sequence[str]) -> Product:
    """Sides by these names, where there are as many."""
    if len(symbols) != len(shape):
        symbols = ("n",) * len(shape)
    return tuple(Factor(symbol, side) for symbol, side in zip(symbols, shape, strict=True))


class Embedding(OfGraph):
    """Rows of a table, taken by their numbers; the table is its own, or the first tensor that it reads."""

    beside = ""

    def __init__(self, name: str, operator: str, shape: Shape, table: Shape, own: bool) -> None:
        super().__init__(name, operator, shape)
        self.table, self.own = table, own

    def tensors(self) -> dict[str, Product]:
        return {"weight": named(self.table, ("rows", "width"))} if self.own else {}

    def products(self, x: tuple[Shape, ...], y: Shape) -> tuple[Product, ...]:
        return ()

    def operations(self, x: tuple[Shape, ...], y: Shape) -> int:
        return 0

    def saves(self, x: tuple[Shape, ...], y: Shape) -> Saves:
        numbers = (len(x) - 1,)
        return Saves("the gradient goes to the rows that were taken", numbers, indices=numbers)

    def reach(self, seen: Sequence[Seen | None], x: tuple[Shape, ...], y: Shape) -> Seen:
        numbers = seen[-1]
        if numbers is None or any(seen[:-1]):
            raise Unknown("its table is computed")
        return numbers._replace(dims=(*numbers.dims, numbers.free(y[-1]))).laid(y)


def _lettered(seen: Seen, letters: str, output: str) -> Seen:
    """A factor of a product with its dimensions where the output has those of the same letters."""
    if len(letters) != len(seen.dims):
        raise Unknown("its factors' dimensions are not known")
    summed = seen.over(*(at for at, letter in enumerate(letters) if letter not in output))
    return summed.permuted([letters.find(letter) for letter in output])


def _heads(seen: Seen, shape: Shape) -> Seen:
    """With its heads, of which a query may have several for each of the keys, as the output has them."""
    for at, size in enumerate(seen.shape):
        if size != 1 and size != shape[at] and seen.is_free(at):
            seen = seen.with_dim(at, ())
    return seen
