"""The rules of silence a second time: slow, plain, tick by tick."""

from __future__ import annotations

from typing import Any

from servsim.records import Silent


class Silence:
    """What the oracle knows of approvers who say nothing."""

    def prepare_silence(self: Any) -> None:
        self.silences: list[tuple[int, int]] = []
        self.quiet: dict[int, int] = {}  # item: so much time has passed since it was offered
        self.speaks: dict[int, int] = {}
        of = self.work.silences
        for item in self.items if of else ():
            item.otherwise = int(of.next_item[item.number])

    def meaning(self: Any, item: Any) -> int:
        of = self.work.silences
        return int(of.then[self.work.step[item.number]]) if of else int(Silent.NOTHING)

    def begin_to_wait(self: Any, item: Any) -> None:
        if self.meaning(item) != Silent.NOTHING and (item.skill >= 0 or item.gate >= 0):
            self.quiet[item.number] = 0
            self.speaks.pop(item.number, None)

    def is_running(self: Any, calendar: int, t: int) -> bool:
        of = self.work.silences
        if calendar < 0:
            return True
        places = range(of.open_first[calendar], of.open_first[calendar + 1])
        return any(of.open_from[k] <= t < of.open_to[k] for k in places)

    def wait_a_tick(self: Any, t: int) -> None:
        of = self.work.silences
        for number in list(self.quiet):
            step = self.work.step[number]
            self.quiet[number] += self.is_running(int(of.calendar[step]), t)
            if self.quiet[number] == of.after[step]:
                del self.quiet[number]
                self.speaks[number] = t + 1

    def silence_speaks(self: Any, t: int) -> None:
        for item in self.items:
            if self.speaks.get(item.number) != t or item.started >= 0 or item.state not in ("queued", "at a gate"):
                continue
            self.silences.append((item.number, t))
            if self.meaning(item) == Silent.ESCALATE:
                item.skill, item.entered = int(self.work.silences.to[self.work.step[item.number]]), t
                self.entered_since.append(item.skill)
                if self.by_work_left(item):
                    item.rank = item.left
            else:
                item.started = t
                if item.otherwise >= 0:
                    item.then = [item.otherwise]
                self.finish(item, t)
            self.dispatch(t)
