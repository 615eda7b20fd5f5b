"""What is wrong with the input, where it stands in the YAML, and what was probably meant."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from servsim.registry import suggestion

Path = tuple[str | int, ...]


class InputError(ValueError):
    """Bad input that no YAML path describes: one or two lines for a planner."""


def complaint(message: str, **context: Any) -> PydanticCustomError:
    """An error in our own words; braces in `message` are not placeholders."""
    return PydanticCustomError("planner", "{text}", {"text": message, **context})


def refuse(*found: tuple[Path, str], value: Any = None) -> ValidationError:
    """A ValidationError with one line per (path below the value being validated, message)."""
    details: list[InitErrorDetails] = [
        {"type": complaint(message), "loc": path, "input": value} for path, message in found
    ]
    return ValidationError.from_exception_data("input", details)


def shown(value: Any) -> str:
    """A value as it may stand in a message: short, text in quotes.

    >>> shown("six"), shown(True), shown({"a": 1})
    ('"six"', 'true', 'a mapping')
    """
    if isinstance(value, str):
        return f'"{_short(value, 60)}"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, Sequence):
        return "a list"
    return _short(str(value), 60)


def _short(text: str, length: int) -> str:
    """On one line, and no longer than that."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1] + "…"


def expected(what: str, value: Any, chinese: str | None = None) -> PydanticCustomError:
    """'expected a whole number ≥ 0, got "six"'."""
    text = f"expected {what}, got {shown(value)}"
    return complaint(text, zh=f"应为{chinese}，而不是 {shown(value)}" if chinese else text)


def unknown_keys(
    error: ValidationError, known: Iterable[str], home: Callable[[str], str | None] = lambda key: None
) -> ValidationError:
    """The same error with each key that the model does not know told once, with the key that was meant, or with the
    place where it belongs (`home`).

    A required key that is missing because its name is misspelt is not told a second time.
    """
    names, lines = list(known), error.errors()
    here = [line for line in lines if len(line["loc"]) == 1]
    extra = {str(line["loc"][0]) for line in here if line["type"] == "extra_forbidden"}
    if not extra:
        return error
    missing = [str(line["loc"][0]) for line in here if line["type"] == "missing"]
    told = {name for word in extra for name in missing if f" {name}?" in suggestion(word, [name])}
    details = []
    for line in lines:
        name = str(line["loc"][0]) if line["loc"] else ""
        local = len(line["loc"]) == 1
        if local and line["type"] == "missing" and name in told:
            continue
        if local and line["type"] == "extra_forbidden":
            hint = suggestion(name, [*(m for m in missing if m in told), *names])
            if hint.startswith(KNOWN) and (place := home(name)):
                hint = f"; it belongs to {place}; known here: {hint.removeprefix(KNOWN)}"
            text = f"is not a known setting{hint}"
            zh = "不是有效的设置项" + _in_chinese(hint)
            details.append(_detail(complaint(text, zh=zh), line))
        else:
            details.append(_detail(_type_of(line), line))
    return ValidationError.from_exception_data(error.title, details)


KNOWN = "; known: "
"""How a suggestion begins where no name is near."""


def _in_chinese(hint: str) -> str:
    for english, chinese in (
        ("; did you mean ", "；是否应为 "),
        (" or ", " 或 "),
        ("?", "？"),
        ("; it belongs to ", "；应放在 "),
        ("; known here: ", "；此处可选："),
        ("; known: ", "；可选："),
    ):
        hint = hint.replace(english, chinese)
    return hint


def _detail(kind: str | PydanticCustomError, line: Any) -> InitErrorDetails:
    return {"type": kind, "loc": line["loc"], "input": line["input"], "ctx": line.get("ctx", {})}


def _type_of(line: Any) -> str | PydanticCustomError:
    """Our own errors as they were; pydantic's by the name of their type."""
    if line["type"] == "planner":
        return PydanticCustomError("planner", "{text}", line.get("ctx") or {})
    return str(line["type"])


_TEXT: dict[str, tuple[str, str]] = {
    "missing": ("is missing", "缺少此项"),
    "extra_forbidden": ("is not a known setting", "不是有效的设置项"),
    "int_parsing": ("expected a whole number, got {got}", "应为整数，而不是 {got}"),
    "int_type": ("expected a whole number, got {got}", "应为整数，而不是 {got}"),
    "int_from_float": ("expected a whole number, got {got}", "应为整数，而不是 {got}"),
    "float_parsing": ("expected a number, got {got}", "应为数字，而不是 {got}"),
    "float_type": ("expected a number, got {got}", "应为数字，而不是 {got}"),
    "bool_parsing": ("expected true or false, got {got}", "应为 true 或 false，而不是 {got}"),
    "bool_type": ("expected true or false, got {got}", "应为 true 或 false，而不是 {got}"),
    "string_type": ("expected text, got {got}", "应为文字，而不是 {got}"),
    "dict_type": ("expected a mapping (name: value), got {got}", "应为映射（名称: 值），而不是 {got}"),
    "model_type": ("expected a mapping (name: value), got {got}", "应为映射（名称: 值），而不是 {got}"),
    "list_type": ("expected a list, got {got}", "应为列表，而不是 {got}"),
    "tuple_type": ("expected a list, got {got}", "应为列表，而不是 {got}"),
    "too_short": ("needs at least {min_length}, got {actual_length}", "至少需要 {min_length} 项"),
    "greater_than_equal": ("must be at least {ge}, got {got}", "应不小于 {ge}，而不是 {got}"),
    "greater_than": ("must be above {gt}, got {got}", "应大于 {gt}，而不是 {got}"),
    "less_than_equal": ("must be at most {le}, got {got}", "应不大于 {le}，而不是 {got}"),
    "less_than": ("must be below {lt}, got {got}", "应小于 {lt}，而不是 {got}"),
    "finite_number": ("expected a finite number, got {got}", "应为有限的数字，而不是 {got}"),
}  # fmt: skip


def problems(error: ValidationError, data: Any, language: str = "en") -> list[tuple[Path, str]]:
    """(path, message) of each thing that is wrong with `data`, in planners' words.

    Paths hold only what exists in `data`, but for a last part that is missing there. Standard messages come in
    English or Chinese ("zh").
    """
    lines = error.errors()
    told = [line for line in lines if not _only_echo(line, lines)]
    found = [(_yaml_path(line["loc"], data), _short(_message(line, language), 300)) for line in told]
    return list(dict.fromkeys(found))


def _only_echo(line: Any, lines: Sequence[Any]) -> bool:
    """A list or mapping is too short only because what is in it is wrong."""
    depth = len(line["loc"])
    return line["type"] == "too_short" and any(
        len(other["loc"]) > depth and other["loc"][:depth] == line["loc"] for other in lines
    )


def _yaml_path(loc: Sequence[str | int], data: Any) -> Path:
    path: list[str | int] = []
    here = data
    for i, part in enumerate(loc):
        if part == "[key]":
            continue
        if isinstance(here, Mapping):
            key = next((key for key in here if key == part or str(key) == str(part)), None)
            if key is None and i < len(loc) - 1 and not _only_keys(loc[i + 1 :]):
                continue
            path.append(part)
            here = here[key] if key is not None else None
        elif isinstance(here, Sequence) and not isinstance(here, str) and isinstance(part, int) and part < len(here):
            path.append(part)
            here = here[part]
        else:
            break
    return tuple(path)


def _only_keys(rest: Sequence[str | int]) -> bool:
    return all(part == "[key]" for part in rest)


def _message(line: Any, language: str) -> str:
    context = line.get("ctx") or {}
    if line["type"] == "planner":
        return str(context.get("zh", context["text"]) if language == "zh" else context["text"])
    if line["type"] in ("literal_error", "enum"):
        known = [word.strip(" '") for word in str(context.get("expected", "")).replace(" or ", ", ").split(",")]
        head = f"不能是 {shown(line['input'])}" if language == "zh" else f"cannot be {shown(line['input'])}"
        hint = suggestion(str(line["input"]), known)
        return head + (_in_chinese(hint) if language == "zh" else hint)
    if line["type"] in _TEXT:
        text = _TEXT[line["type"]][language == "zh"]
        return text.format(got=shown(line["input"]), **context)
    return str(line["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")
