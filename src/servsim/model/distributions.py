"""How long things take: distributions that are drawn by inversion, one uniform for one variate.

Every kind has `mean`, `quantile(u)` for u in [0, 1) (non-negative, monotone) and `cdf(x)`. Values are durations in
ticks; under `numbers:` the same kinds hold plain numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    PrivateAttr,
    TypeAdapter,
    ValidationInfo,
    field_validator,
    model_validator,
)

from servsim.model.base import Model, OneOf, Positive, Share, TimeUnit, Variation, WeibullShape, sums_to_one
from servsim.model.errors import InputError, expected, refuse
from servsim.model.files import read_columns
from servsim.quantities import ticks, written
from servsim.registry import Registry

Floats = NDArray[np.float64]
DISTRIBUTIONS: Registry[type[Distribution]] = Registry("distribution")


def _read_quantity(value: Any, info: ValidationInfo) -> int | float:
    if not (info.context or {}).get("numbers"):
        return ticks(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1e300:
        raise expected("a number ≥ 0", value, "不小于 0 的数字")
    return float(value)


def _write_quantity(value: int | float) -> str | float:
    return written(value) if isinstance(value, int) else value


Quantity = Annotated[int | float, BeforeValidator(_read_quantity), PlainSerializer(_write_quantity)]
"""Whole ticks of a written duration; under `numbers:` a plain number, kept as a float."""


class Distribution(Model):
    """A non-negative random quantity."""

    kind: str

    if TYPE_CHECKING:

        @property
        def mean(self) -> float:
            """The integral of `quantile` over (0, 1); a duration in ticks."""

    def quantile(self, u: Floats) -> Floats:
        """The smallest x with cdf(x) ≥ u, for each u in [0, 1); same length."""
        raise NotImplementedError

    def cdf(self, x: Floats) -> Floats:
        """P(X ≤ x) for each x."""
        raise NotImplementedError

    @property
    def is_constant(self) -> bool:
        return isinstance(self, Constant)


def _constant_for_short(value: Any) -> Any:
    return value if isinstance(value, dict) or not isinstance(value, str | int | float) else _constant(value)


def _constant(value: Any) -> dict[str, Any]:
    return {"kind": "constant", "value": value}


AnyDistribution = Annotated[Distribution, OneOf(DISTRIBUTIONS, _constant_for_short)]
"""A distribution of durations; '15 min' is short for a constant."""

NumberDistribution = Annotated[Distribution, OneOf(DISTRIBUTIONS, _constant_for_short, {"numbers": True})]
"""A distribution of plain numbers, such as amounts of money."""


def distribution(spec: Any, numbers: bool = False, folder: Path | None = None) -> Distribution:
    """The distribution that a mapping or a duration stands for.

    >>> distribution({"kind": "exponential", "mean": "2 min"}).mean / 60e6
    2.0
    """
    adapter: TypeAdapter[Distribution] = TypeAdapter(NumberDistribution if numbers else AnyDistribution)
    return adapter.validate_python(spec, context={"folder": folder} if folder else {})


def _above_zero(value: int | float) -> int | float:
    if value <= 0:
        raise ValueError("must be above zero")
    return value


PositiveQuantity = Annotated[Quantity, AfterValidator(_above_zero)]


@DISTRIBUTIONS.register("constant")
class Constant(Distribution):
    """Always `value`."""

    kind: Literal["constant"] = "constant"
    value: Quantity

    @property
    def mean(self) -> float:
        return float(self.value)

    def quantile(self, u: Floats) -> Floats:
        return np.full(len(u), float(self.value))

    def cdf(self, x: Floats) -> Floats:
        return np.where(x >= self.value, 1.0, 0.0)


@DISTRIBUTIONS.register("exponential")
class Exponential(Distribution):
    """x = −mean · ln(1 − u)."""

    kind: Literal["exponential"] = "exponential"
    mean: PositiveQuantity

    def quantile(self, u: Floats) -> Floats:
        return -self.mean * np.log1p(-u)

    def cdf(self, x: Floats) -> Floats:
        return -np.expm1(-np.maximum(x, 0) / self.mean)


@DISTRIBUTIONS.register("uniform")
class Uniform(Distribution):
    """Evenly between `low` and `high`."""

    kind: Literal["uniform"] = "uniform"
    low: Quantity
    high: Quantity

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        return _ordered(self, "low", "high")

    @property
    def mean(self) -> float:
        return (self.low + self.high) / 2

    def quantile(self, u: Floats) -> Floats:
        return self.low + (self.high - self.low) * u

    def cdf(self, x: Floats) -> Floats:
        width = max(self.high - self.low, 1e-300)
        return np.where(x >= self.high, 1.0, np.clip((x - self.low) / width, 0, 1))


@DISTRIBUTIONS.register("triangular")
class Triangular(Distribution):
    """Between `low` and `high`, most often near `mode`."""

    kind: Literal["triangular"] = "triangular"
    low: Quantity
    mode: Quantity
    high: Quantity

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        return _ordered(self, "low", "mode", "high")

    @property
    def mean(self) -> float:
        return (self.low + self.mode + self.high) / 3

    def quantile(self, u: Floats) -> Floats:
        width, rise, fall = self.high - self.low, self.mode - self.low, self.high - self.mode
        return np.where(
            u * width < rise, self.low + np.sqrt(u * width * rise), self.high - np.sqrt((1 - u) * width * fall)
        )

    def cdf(self, x: Floats) -> Floats:
        width, rise, fall = self.high - self.low, self.mode - self.low, self.high - self.mode
        up = np.clip(x - self.low, 0, rise) ** 2 / max(width * rise, 1e-300)
        down = 1 - np.clip(self.high - x, 0, fall) ** 2 / max(width * fall, 1e-300)
        return np.where(x >= self.high, 1.0, np.where(x < self.mode, up, down))


@DISTRIBUTIONS.register("normal")
class Normal(Distribution):
    """Normal, given that it is not negative; `mean` and `sd` are those before truncation at 0.

    With m = mean / sd: P(X > x) = Φ(m − x/sd) / Φ(m), and the mean is mean + sd · φ(m) / Φ(m).
    """

    kind: Literal["normal"] = "normal"
    centre: Quantity = Field(alias="mean")
    sd: PositiveQuantity

    @property
    def mean(self) -> float:
        from scipy.special import ndtr

        m = self.centre / self.sd
        return float(self.centre + self.sd * math.exp(-m * m / 2) / math.sqrt(2 * math.pi) / ndtr(m))

    def quantile(self, u: Floats) -> Floats:
        from scipy.special import ndtr, ndtri

        return np.maximum(self.centre - self.sd * ndtri((1 - u) * ndtr(self.centre / self.sd)), 0.0)

    def cdf(self, x: Floats) -> Floats:
        from scipy.special import ndtr

        m = self.centre / self.sd
        return 1 - ndtr(m - np.maximum(x, 0) / self.sd) / ndtr(m)


@DISTRIBUTIONS.register("lognormal")
class Lognormal(Distribution):
    """x = exp(μ + σ Φ⁻¹(u)), σ² = ln(1 + cv²), μ = ln(mean) − σ²/2."""

    kind: Literal["lognormal"] = "lognormal"
    mean: PositiveQuantity
    cv: Variation

    def _mu_sigma(self) -> tuple[float, float]:
        variance = math.log1p(self.cv**2)
        return math.log(self.mean) - variance / 2, math.sqrt(variance)

    def quantile(self, u: Floats) -> Floats:
        from scipy.special import ndtri

        mu, sigma = self._mu_sigma()
        z: Floats = np.asarray(ndtri(u), dtype=np.float64)
        z *= sigma
        z += mu
        np.exp(z, out=z)
        return z

    def cdf(self, x: Floats) -> Floats:
        from scipy.special import ndtr

        mu, sigma = self._mu_sigma()
        with np.errstate(divide="ignore"):
            return np.asarray(ndtr((np.log(np.maximum(x, 0)) - mu) / sigma))


def _gamma_quantile(shape: float, mean: float, u: Floats) -> Floats:
    from scipy.special import gammaincinv

    return np.asarray(gammaincinv(shape, u) * (mean / shape), dtype=np.float64)


def _gamma_cdf(shape: float, mean: float, x: Floats) -> Floats:
    from scipy.special import gammainc

    return np.asarray(gammainc(shape, np.maximum(x, 0) * (shape / mean)))


@DISTRIBUTIONS.register("gamma")
class Gamma(Distribution):
    """Gamma of shape 1/cv²."""

    kind: Literal["gamma"] = "gamma"
    mean: PositiveQuantity
    cv: Variation

    def quantile(self, u: Floats) -> Floats:
        return _gamma_quantile(self.cv**-2, self.mean, u)

    def cdf(self, x: Floats) -> Floats:
        return _gamma_cdf(self.cv**-2, self.mean, x)


@DISTRIBUTIONS.register("erlang")
class Erlang(Distribution):
    """The sum of `k` exponential phases of equal mean; `mean` is that of the sum."""

    kind: Literal["erlang"] = "erlang"
    mean: PositiveQuantity
    k: Positive

    def quantile(self, u: Floats) -> Floats:
        return _gamma_quantile(self.k, self.mean, u)

    def cdf(self, x: Floats) -> Floats:
        return _gamma_cdf(self.k, self.mean, x)


@DISTRIBUTIONS.register("weibull")
class Weibull(Distribution):
    """x = scale · (−ln(1 − u))^(1/shape), scale = mean / Γ(1 + 1/shape)."""

    kind: Literal["weibull"] = "weibull"
    mean: PositiveQuantity
    shape: WeibullShape

    @property
    def scale(self) -> float:
        return self.mean / math.gamma(1 + 1 / self.shape)

    def quantile(self, u: Floats) -> Floats:
        return self.scale * (-np.log1p(-u)) ** (1 / self.shape)

    def cdf(self, x: Floats) -> Floats:
        return -np.expm1(-((np.maximum(x, 0) / self.scale) ** self.shape))


@DISTRIBUTIONS.register("hyperexponential")
class Hyperexponential(Distribution):
    """Exponential with one of several means, drawn by `shares`."""

    kind: Literal["hyperexponential"] = "hyperexponential"
    means: tuple[PositiveQuantity, ...] = Field(min_length=1)
    shares: tuple[Share, ...]

    @model_validator(mode="after")
    def _one_share_each(self) -> Self:
        return _shared(self, len(self.means))

    @property
    def mean(self) -> float:
        return math.fsum(share * mean for share, mean in zip(self.shares, self.means, strict=True))

    def quantile(self, u: Floats) -> Floats:
        ends = [-mean * np.log1p(-u) for mean in (min(self.means), max(self.means))]
        return _inverse(self.cdf, u, ends, self.mean)

    def cdf(self, x: Floats) -> Floats:
        parts = (
            share * np.expm1(-np.maximum(x, 0) / mean) for share, mean in zip(self.shares, self.means, strict=True)
        )
        return -np.asarray(sum(parts))


class Part(Model):
    """One component of a mixture."""

    share: Share
    of: AnyDistribution


@DISTRIBUTIONS.register("mixture")
class Mixture(Distribution):
    """One of several distributions, drawn by their shares."""

    kind: Literal["mixture"] = "mixture"
    parts: tuple[Part, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _shares_sum_to_one(self) -> Self:
        sums_to_one(tuple(part.share for part in self.parts))
        return self

    @property
    def mean(self) -> float:
        return math.fsum(part.share * part.of.mean for part in self.parts)

    def quantile(self, u: Floats) -> Floats:
        return _inverse(self.cdf, u, [part.of.quantile(u) for part in self.parts if part.share], self.mean)

    def cdf(self, x: Floats) -> Floats:
        return np.asarray(sum(part.share * part.of.cdf(x) for part in self.parts))


@DISTRIBUTIONS.register("empirical")
class Empirical(Distribution):
    """What was observed: `values` (equally likely, or by `shares`), `quantiles` joined by lines, or a CSV column.

    `quantiles` maps probabilities to values, from 0 to 1, or lists values at equal distances from 0 to 1. A `column` of
    `file` (relative to the project) holds values: written durations, or bare numbers of `unit`.
    """

    kind: Literal["empirical"] = "empirical"
    values: tuple[Quantity, ...] | None = Field(default=None, min_length=1)
    shares: tuple[Share, ...] | None = None
    quantiles: dict[Share, Quantity] | None = None
    file: str | None = None
    column: str | None = None
    unit: TimeUnit | None = None

    _observed: tuple[float, ...] = PrivateAttr(default=())

    @field_validator("quantiles", mode="before")
    @classmethod
    def _at_equal_distances(cls, value: Any) -> Any:
        if not isinstance(value, list | tuple):
            return value
        if len(value) < 2:
            raise ValueError("needs at least two quantiles, those of 0 and 1")
        return {i / (len(value) - 1): x for i, x in enumerate(value)}

    @field_validator("quantiles")
    @classmethod
    def _from_zero_to_one(cls, value: dict[float, float] | None) -> dict[float, float] | None:
        if value is None:
            return None
        if len(value) < 2 or min(value) != 0 or max(value) != 1:
            raise ValueError("must begin at 0 and end at 1")
        ordered = dict(sorted(value.items()))
        if list(ordered.values()) != sorted(ordered.values()):
            raise ValueError("must not fall from one probability to the next")
        return ordered

    @model_validator(mode="after")
    def _one_source(self, info: ValidationInfo) -> Self:
        given = [name for name in ("values", "quantiles", "file") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError("needs exactly one of `values`, `quantiles`, `file` (with `column`)")
        self._observed = self._from_file(info.context or {}) if self.file is not None else self.values or ()
        if self.shares is not None:
            _shared(self, len(self._observed))
        return self

    @cached_property
    def _knots(self) -> tuple[Floats, Floats]:
        """Values in order, and the probability up to each."""
        if self.quantiles is not None:
            return np.array(list(self.quantiles.values()), dtype=float), np.array(list(self.quantiles))
        values = np.array(self._observed, dtype=float)
        weights = np.full(len(values), 1 / len(values)) if self.shares is None else np.array(self.shares)
        order = np.argsort(values, kind="stable")
        upto = np.cumsum(weights[order])
        upto[-1] = 1.0
        return values[order], upto

    def _from_file(self, context: dict[str, Any]) -> tuple[float, ...]:
        if self.column is None:
            raise refuse((("column",), "is missing; name the column of the file"))
        path = Path(context.get("folder") or Path.cwd(), self.file or "")
        try:
            column = read_columns(path, {"value": self.column})["value"]
            values = column.numbers() if context.get("numbers") else column.durations(self.unit).astype(float)
        except InputError as error:
            raise refuse((("file",), str(error)), value=self.file) from None
        if values.min() < 0:
            line = column.lines[int(values.argmin())]
            message = f'{path}, line {line}, column "{self.column}": must not be negative, got {values.min():g}'
            raise refuse((("file",), message), value=self.file)
        return tuple(values.tolist())

    @property
    def mean(self) -> float:
        x, p = self._knots
        if self.quantiles is not None:
            return float(np.sum((x[1:] + x[:-1]) / 2 * np.diff(p)))
        return float(np.sum(x * np.diff(p, prepend=0.0)))

    def quantile(self, u: Floats) -> Floats:
        x, p = self._knots
        if self.quantiles is not None:
            return np.interp(u, p, x)
        return x[np.minimum(np.searchsorted(p, u, side="left"), len(x) - 1)]

    def cdf(self, x: Floats) -> Floats:
        knots, p = self._knots
        n = np.searchsorted(knots, x, side="right")
        below = np.where(n > 0, p[n - 1], 0.0)
        if self.quantiles is None:
            return below
        after = np.minimum(n, len(knots) - 1)
        between = (n > 0) & (n < len(knots))
        gap = np.where(between, knots[after] - knots[n - 1], 1.0)
        slope = (p[after] - p[n - 1]) * (x - knots[n - 1]) / gap
        return np.where(between, below + slope, below)


D = TypeVar("D", bound=Distribution)


def _ordered(of: D, *names: str) -> D:
    values = [getattr(of, name) for name in names]
    if values != sorted(values):
        raise ValueError(f"needs {' <= '.join(names)}")
    return of


def _shared(of: D, n: int) -> D:
    """Refuses shares that are not one for each value and one in sum."""
    shares: tuple[float, ...] = of.shares  # type: ignore[attr-defined]
    if len(shares) != n:
        raise refuse((("shares",), f"needs one share for each value: {n}, got {len(shares)}"), value=shares)
    try:
        sums_to_one(shares)
    except ValueError as error:
        raise refuse((("shares",), str(error)), value=shares) from None
    return of


def _inverse(cdf: Callable[[Floats], Floats], u: Floats, ends: Sequence[Floats], mean: float) -> Floats:
    """The smallest point x of a fine grid with cdf(x) ≥ u, by bisection between the least and the greatest of `ends`.

    The grid is that of half ticks, or finer (mean · 2⁻³⁰) for short times and plain numbers. As the answer is a point
    of the grid and not the middle of a bracket, it is monotone in u exactly.
    """
    if not mean:
        return np.zeros(len(u))
    grid = min(0.5, 2.0 ** (math.floor(math.log2(mean)) - 30))
    low = np.maximum(np.floor(np.minimum.reduce(ends) / grid) - 1, -1)
    high = np.ceil(np.maximum.reduce(ends) / grid)
    for _ in range(64):
        if (high - low).max(initial=0) <= 1:
            break
        middle = np.floor((low + high) / 2)
        enough = cdf(middle * grid) >= u
        high = np.where(enough, middle, high)
        low = np.where(enough, low, middle)
    return np.asarray(np.maximum(high, 0) * grid)
