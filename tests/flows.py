"""Processes drawn at random, as they would stand in YAML: sound ones, with branches, detours, returns and rework."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st


def task(time: Any = "5 min", then: Any = "end", **more: Any) -> dict[str, Any]:
    return {"kind": "task", "skill": "desk", "time": time, "next": then, **more}


@st.composite
def processes(draw: st.DrawFn) -> dict[str, Any]:
    """A random process, written from its end: blocks in a row, some branching, some leading back to the start."""
    steps: dict[str, Any] = {}
    returns: list[tuple[str, str]] = []

    def block(depth: int, then: str) -> str:
        """Writes a block that leads on to `then`; returns where it begins."""
        name = f"s{len(steps)}"
        step: dict[str, Any] = {"next": then}
        steps[name] = step
        kind = draw(st.sampled_from(["task", "approval", "handoff", "delay", "decision", "parallel"]))
        back = draw(st.booleans()) and not depth
        if kind == "task":
            step |= task("1 min", {name: 0.3, then: 0.7} if draw(st.booleans()) else then)
        elif kind == "approval":
            step |= {**task("1 min", then), "kind": kind, "reject": 0.0 if depth else 0.2}
            if back:
                step |= {"return": 0.5, "rounds": draw(st.integers(0, 2))}
                returns.append((name, "return_to"))
        elif kind == "handoff":
            step |= {"kind": kind, "to": "office", "delay": "1 min"}
            if back:
                step |= {"returned": 0.5, "rounds": draw(st.integers(0, 2))}
                returns.append((name, "back_to"))
        elif kind == "delay":
            step |= {"kind": kind, "time": "1 min"}
        elif kind == "decision" or depth > 1:
            detour = block(depth + 1, then)
            step |= {"kind": "decision", "next": {detour: 0.5, then: 0.5}}
        else:
            join = f"j{len(steps)}"
            steps[join] = {"kind": "join", "next": then}
            branches = [block(depth + 1, join) for _ in range(draw(st.integers(2, 3)))]
            steps[name] = {"kind": kind, "branches": branches, "join": join}
        return name

    then = "end"
    for _ in range(draw(st.integers(1, 4))):
        then = block(0, then)
    for name, field in returns:
        steps[name][field] = then
    return {"p": {"start": then, "steps": steps}}
