"""Decision: the case takes one of several ways, by chance or by what it is like."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from servsim.model.base import Id, Number, Word, sums_to_one
from servsim.model.errors import Path, expected, refuse
from servsim.model.steps.step import STEPS, Routes, Step, single


def _share_or_step(value: Any) -> Any:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300
    if not is_number and not isinstance(value, str):
        raise expected("a probability, or a step where `by` is given", value, "概率，或（给出 by 时）步骤")
    return value if isinstance(value, str) else float(value)


def _one_way(value: Any) -> Any:
    return {value: 1.0} if isinstance(value, str) else value


@STEPS.register("decision")
class Decision(Step):
    """Without `by`: `next` holds a probability for each step.

    By an attribute, `case_class` or `channel`: `next` holds the step for each value, `otherwise` that of all others.
    By a numeric attribute: `below` holds the step for values under each bound, `otherwise` that of all above.
    """

    kind: Literal["decision"] = "decision"
    by: Word | None = None
    next: Annotated[dict[Word, Annotated[float | str, BeforeValidator(_share_or_step)]], BeforeValidator(_one_way)] = (
        Field(default_factory=dict)
    )
    below: dict[Number, Id] = Field(default_factory=dict)
    otherwise: Id | None = None

    @model_validator(mode="after")
    def _one_way_of_deciding(self) -> Self:
        if self.by is None:
            self._by_chance()
        elif bool(self.next) == bool(self.below):
            raise ValueError("with `by` it needs either `next` (value: step) or `below` (bound: step) with `otherwise`")
        elif self.below and self.otherwise is None:
            raise refuse((("otherwise",), "is missing; name the step for values above all bounds"))
        for value, step in self.next.items():
            if self.by is not None and not isinstance(step, str):
                raise refuse((("next", value), f"expected a step for the value '{value}', got {step:g}"))
        return self

    def _by_chance(self) -> None:
        if self.below or self.otherwise is not None:
            raise refuse((("by",), "is missing; name the attribute that `below` and `otherwise` look at"))
        for target, share in self.next.items():
            if isinstance(share, str) or not 0 <= share <= 1:
                message = f"expected a probability between 0 and 1, got {share}; to decide by a value give `by`"
                raise refuse((("next", target), message))
        try:
            sums_to_one(self.routes, "probabilities")
        except ValueError as error:
            raise refuse((("next",), str(error)), value=self.next) from None

    @property
    def routes(self) -> dict[str, float]:
        """Probability of each step; empty where something else than chance decides."""
        return {target: p for target, p in self.next.items() if isinstance(p, float)}

    def step_of(self, value: str) -> str | None:
        """The step for a value (class, channel or choice); None where neither it nor `otherwise` is written down."""
        found = self.next.get(value, self.otherwise)
        return found if isinstance(found, str) else None

    def references(self) -> Iterator[tuple[Path, str]]:
        alone = len(self.next) == 1
        for key, to in self.next.items():
            yield (("next",) if alone and self.by is None else ("next", key)), to if isinstance(to, str) else key
        yield from ((("below", str(bound)), to) for bound, to in self.below.items())
        if self.otherwise is not None:
            yield ("otherwise",), self.otherwise

    def possible(self) -> frozenset[str]:
        return frozenset(t for t, p in self.routes.items() if p > 0) if self.by is None else self.successors()

    def redirected(self, old: str, new: Routes, stream: str | None = None, keep_returns: bool = False) -> Self:
        if old not in self.successors():
            return self
        if self.by is None:
            routes: dict[str, float] = {}
            for target, p in self.routes.items():
                for to, q in new.items() if target == old else [(target, 1.0)]:
                    routes[to] = routes.get(to, 0.0) + p * q
            return self.model_copy(update={"next": routes})
        swap: Callable[[Any], Any] = lambda to: single(old, new) if to == old else to  # noqa: E731
        changes = {
            "next": {value: swap(to) for value, to in self.next.items()},
            "below": {bound: swap(to) for bound, to in self.below.items()},
            "otherwise": swap(self.otherwise),
        }
        return self.model_copy(update=changes)
