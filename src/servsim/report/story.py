"""What happened to one case: its story, line by line, from the log."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

import numpy as np

from servsim.kpis.causes import Causes, causes
from servsim.quantities import SECOND, written
from servsim.records import Outcome, Relation, Run, Silent, State
from servsim.records.arrays import NONE
from servsim.records.course import limits
from servsim.records.workload import NEVER
from servsim.report.words import words

ENGLISH = {
    "title": "Case {case} · {case_class} · {channel}",
    "arrives": "arrives",
    "RETRY": "arrives: tries again after case {other}",
    "REPEAT": "arrives: contacts again after case {other}",
    "DUPLICATE": "arrives: submitted a second time, nobody has answered case {other}",
    "RETURN": "arrives: comes again after case {other}",
    "never": "never came: it would have followed case {other}",
    "of_pool": "{name} ({pool})",
    "and": " and ",
    "reaches": "reaches {step}",
    "offered": "{step}: pushed to the queue of {skill} after {time} of dispatch delay",
    "alert": "{step}: not taken up in time, alert",
    "escalated": "{step}: not taken up in time, moves to the queue of {skill}",
    "preferred": "{step}: for {who}, if free",
    "required": "{step}: for nobody but {who}",
    "kept_for": "{step}: kept for {who}, at most {time}",
    "started": "{step}: {who} starts{waited}{answers}",
    "waited": " after {time} of waiting ({causes})",
    "answers": "; the customer is answered, {time} after arrival",
    "silent_approve": "{step}: nobody has said a word in time, approved by silence{answers}",
    "silent_reject": "{step}: nobody has said a word in time, rejected by silence{answers}",
    "suspended": "{step}: interrupted; {who} has worked {time} on it",
    "resumed": "{step}: {who} resumes",
    "started_together": "{step}: {who} start together{waited}{answers}",
    "suspended_together": "{step}: interrupted; {who} have worked {time} on it",
    "resumed_together": "{step}: {who} resume together",
    "completed": "{step}: completed after {time} of work{returned}",
    "returned": "; sent back",
    "task_starts": "{step}: runs by itself{answers}",
    "task_ends": "{step}: done by itself after {time}{returned}",
    "handoff_starts": "{step}: handed over",
    "handoff_ends": "{step}: hand-over takes {time}{returned}",
    "delay_starts": "{step}: has to wait",
    "delay_ends": "{step}: the wait is over after {time}",
    "join_ends": "{step}: all branches are there",
    "COMPLETED": "leaves, completed, {time} after arrival",
    "REJECTED": "leaves, rejected, {time} after arrival",
    "ABANDONED": "the customer gives up, {time} after arrival",
    "TURNED_AWAY": "finds no place to wait and leaves, {time} after arrival",
    "IN_PROCESS": "the clock stops; the case is still in process after {time}",
    "first_response": "answer",
    "resolution": "resolution",
    "broken": "{promise}: the time promised has run out",
    "promised": "{promise} promised by {due}: {verdict}",
    "named": "“{name}”",
    "kept": "kept, {time} to spare",
    "late": "missed by {time}",
    "given_up": "missed, the customer gave up",
    "not_done": "missed, the case left without",
    "overdue": "missed, still open {time} after that when the clock stops",
    "open": "not due yet when the clock stops",
    "unknown": "case {case}: this run has cases 0 to {last}",
    "none": "case {case}: this run has no cases",
}

CHINESE = {
    "title": "事项 {case} · {case_class} · {channel}",
    "arrives": "到达",
    "RETRY": "到达：事项 {other} 之后再次尝试",
    "REPEAT": "到达：事项 {other} 办结后再次来访",
    "DUPLICATE": "到达：事项 {other} 尚未得到响应，重复提交",
    "RETURN": "到达：事项 {other} 之后再次到来",
    "never": "没有到来：本应在事项 {other} 之后发生",
    "of_pool": "{name}（{pool}）",
    "and": "、",
    "reaches": "进入环节 {step}",
    "offered": "{step}：派单延迟 {time} 后进入 {skill} 队列",
    "alert": "{step}：超时未受理，预警",
    "escalated": "{step}：超时未受理，转入 {skill} 队列",
    "preferred": "{step}：{who} 若空闲则由其办理",
    "required": "{step}：只能由 {who} 办理",
    "kept_for": "{step}：留给 {who} 办理，最多等 {time}",
    "started": "{step}：{who} 开始处理{waited}{answers}",
    "waited": "，已等待 {time}（{causes}）",
    "answers": "；客户得到响应，距到达 {time}",
    "silent_approve": "{step}：逾期无人审批，视为同意{answers}",
    "silent_reject": "{step}：逾期无人审批，视为驳回{answers}",
    "suspended": "{step}：中断，{who} 已处理 {time}",
    "resumed": "{step}：{who} 继续处理",
    "started_together": "{step}：{who} 共同开始处理{waited}{answers}",
    "suspended_together": "{step}：中断，{who} 已共同处理 {time}",
    "resumed_together": "{step}：{who} 共同继续处理",
    "completed": "{step}：完成，处理 {time}{returned}",
    "returned": "；退回",
    "task_starts": "{step}：自动处理{answers}",
    "task_ends": "{step}：自动处理完成，用时 {time}{returned}",
    "handoff_starts": "{step}：移交",
    "handoff_ends": "{step}：移交用时 {time}{returned}",
    "delay_starts": "{step}：等候",
    "delay_ends": "{step}：等候结束，用时 {time}",
    "join_ends": "{step}：各分支已到齐",
    "COMPLETED": "办结离开，距到达 {time}",
    "REJECTED": "被驳回离开，距到达 {time}",
    "ABANDONED": "客户放弃，距到达 {time}",
    "TURNED_AWAY": "无空余等候位，离开，距到达 {time}",
    "IN_PROCESS": "仿真结束，事项仍在办理，已历时 {time}",
    "first_response": "响应",
    "resolution": "办结",
    "broken": "{promise}：承诺时限已过",
    "promised": "承诺 {due} 前{promise}：{verdict}",
    "named": "“{name}”",
    "kept": "兑现，提前 {time}",
    "late": "未兑现，超时 {time}",
    "given_up": "未兑现，客户已放弃",
    "not_done": "未兑现，事项离开时仍未做到",
    "overdue": "未兑现，仿真结束时已超时 {time}",
    "open": "仿真结束时尚未到期",
    "unknown": "事项 {case}：本次运行的事项编号为 0 至 {last}",
    "none": "事项 {case}：本次运行没有事项",
}

WORDS = {"en": ENGLISH, "zh": CHINESE}
WEEKDAYS = {"en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), "zh": tuple(f"周{d}" for d in "一二三四五六日")}
CHINESE_UNITS = {"d": "天", "h": "小时", "min": "分钟", "s": "秒"}


class Line(NamedTuple):
    """Something that happened; lines are told in order of (at, item, nth)."""

    at: int
    item: int
    nth: int
    text: str


def story(run: Run, case: int, language: str = "en") -> str:
    """Numbered lines with clock times: everything that happened to a case, and what became of its promises.

    Raises InputError for a number that is not a case of the run.
    """
    _check(run, case, language)
    teller = _Teller(run, language)
    title = teller.say(
        "title",
        case=case,
        case_class=run.workload.classes[run.workload.case_class[case]],
        channel=run.workload.channels[run.workload.channel[case]],
    )
    if run.workload.arrived_at[case] >= NEVER:
        return f"{title}\n{teller.say('never', other=_followed(run, case)[1])}"
    told = [f"{teller.when(line.at)}  {line.text}" for line in sorted(_lines(teller, case))]
    told += _promises(teller, case)
    width = len(str(len(told)))
    return "\n".join([title, *(f"{n:>{width}}. {line}" for n, line in enumerate(told, 1))])


def _check(run: Run, case: int, language: str) -> None:
    from servsim.model.errors import InputError

    n = run.workload.n_cases
    if not 0 <= case < n:
        raise InputError(WORDS[language]["unknown" if n else "none"].format(case=case, last=n - 1))


class _Teller:
    """A run, and how its facts are worded in one language."""

    def __init__(self, run: Run, language: str) -> None:
        self.run, self.words, self.language = run, WORDS[language], language
        self.start: datetime.datetime = run.start.astype("datetime64[us]").item()

    def say(self, key: str, **values: object) -> str:
        return self.words[key].format(**values)

    def causes(self, item: int) -> str:
        """'nobody on shift 25 min, everybody busy 15 min'; without the time where it is only one."""
        say = words(self.language)
        parts = {name: int(ticks[item]) for name, ticks in self._causes._asdict().items() if name != "joining"}
        told = [(say(f"spent.{name}"), self.lasting(ticks)) for name, ticks in parts.items() if ticks]
        gap = say("unit.gap")
        return say("list.comma").join([f"{name}{gap}{time}" for name, time in told] if told[1:] else [told[0][0]])

    @cached_property
    def _causes(self) -> Causes:
        return causes(self.run)

    def when(self, at: int) -> str:
        moment = self.start + datetime.timedelta(microseconds=at)
        return f"{WEEKDAYS[self.language][moment.weekday()]} {moment:%Y-%m-%d %H:%M:%S}"

    def lasting(self, ticks: int) -> str:
        """To the second."""
        text = written(round(ticks / SECOND) * SECOND) if ticks >= SECOND else written(ticks)
        return "".join(CHINESE_UNITS.get(part, part) for part in text.split()) if self.language == "zh" else text

    def person(self, worker: int) -> str:
        """With the pool, where the name does not say it."""
        name, pool = self.run.plan.workers[worker], self.run.plan.pools[self.run.plan.worker_pool[worker]]
        return name if name.startswith(pool) else self.say("of_pool", name=name, pool=pool)


def _lines(teller: _Teller, case: int) -> Iterator[Line]:
    work, log = teller.run.workload, teller.run.log
    arrived, left, outcome = (int(column[case]) for column in (work.arrived_at, log.left_at, log.outcome))
    end = left if left >= 0 else teller.run.window.until
    if arrived >= end:
        return
    why, other = _followed(teller.run, case)
    yield Line(arrived, -1, 0, teller.say(Relation(why).name if why else "arrives", other=other))
    for item in range(*work.first_item[case : case + 2].tolist()):
        if log.enabled_at[item] >= 0:
            yield from _by_somebody(teller, item) if work.skill[item] >= 0 else _by_itself(teller, item)
    yield from _breaches(teller, case)
    yield Line(end, work.n_items, 0, teller.say(Outcome(outcome).name, time=teller.lasting(end - arrived)))


def _followed(run: Run, case: int) -> tuple[int, int]:
    """(Relation, case that it follows); NONE and -1 for a case that comes by itself."""
    followers = run.workload.followers
    at = np.flatnonzero(followers.case == case)
    return (int(followers.relation[at[0]]), int(followers.after[at[0]])) if len(at) else (Relation.NONE, -1)


def _by_somebody(teller: _Teller, item: int) -> Iterator[Line]:
    """The lines of an item that needs a worker."""
    run, log = teller.run, teller.run.log
    step, skill = run.workload.steps.names[run.workload.step[item]], run.workload.skill[item]
    enabled, offered, started = (int(at[item]) for at in (log.enabled_at, log.offered_at, log.started_at))
    yield Line(enabled, item, 0, teller.say("reaches", step=step))
    if offered > enabled:
        delay = teller.lasting(offered - enabled)
        yield Line(offered, item, 1, teller.say("offered", step=step, skill=run.plan.skills[skill], time=delay))
    for row in np.flatnonzero(log.owned_item == item).tolist():
        kept = int(run.workload.owners.kept[item])
        words = {"step": step, "who": teller.person(int(log.owned_by[row])), "time": teller.lasting(max(kept, 0))}
        told = "required" if kept < 0 else "kept_for" if kept else "preferred"
        yield Line(int(log.owned_at[row]), item, 2, teller.say(told, **words))
    if run.alerted_at[item] >= 0:
        yield Line(int(run.alerted_at[item]), item, 99, teller.say("alert", step=step))
    moves = ((at, to) for moved, at, to in run.moves if moved == item)
    for k, (at, to) in enumerate(moves):
        yield Line(at, item, 2 + k, teller.say("escalated", step=step, skill=run.plan.skills[to]))
    if item in run.silent:
        yield _silence(teller, item, step)
    elif started >= 0:
        waited = ""
        if started > enabled:
            waited = teller.say("waited", time=teller.lasting(started - enabled), causes=teller.causes(item))
        yield from _work(teller, item, step, waited)


def _silence(teller: _Teller, item: int, step: str) -> Line:
    """What silence said."""
    run = teller.run
    then = Silent(run.workload.silences.then[run.workload.step[item]])
    said = teller.say(f"silent_{then.name.lower()}", step=step, answers=_answers(teller, item))
    return Line(int(run.log.completed_at[item]), item, 101, said)


def _work(teller: _Teller, item: int, step: str, waited: str) -> Iterator[Line]:
    """Who works on an item from when to when."""
    log, done = teller.run.log, int(teller.run.log.completed_at[item])
    rows = np.flatnonzero(log.stretch_item == item)
    parts = np.column_stack([log.stretch_worker, log.stretch_from, log.stretch_to])[rows].tolist()
    parts = parts or [[int(log.worker[item]), int(log.started_at[item]), done]]
    for k, (worker, begin, end) in enumerate(parts):
        team = _team(teller, item, worker, begin)
        words, together = {"step": step, "who": team}, "_together" if team != teller.person(worker) else ""
        first = {"waited": waited, "answers": _answers(teller, item)}
        yield Line(begin, item, 100 + 2 * k, teller.say(("resumed" if k else "started") + together, **words, **first))
        if done >= 0 and k == len(parts) - 1:
            total = teller.lasting(sum(to - since for _, since, to in parts))
            text = teller.say("completed", step=step, time=total, returned=_back(teller, item))
            yield Line(done, item, 101 + 2 * k, text)
        elif 0 <= end < teller.run.window.until:
            text = teller.say(f"suspended{together}", **words, time=teller.lasting(end - begin))
            yield Line(end, item, 101 + 2 * k, text)


def _team(teller: _Teller, item: int, worker: int, begin: int) -> str:
    """All who work on the item from then on."""
    log = teller.run.log
    helpers = log.helper_worker[(log.helper_item == item) & (log.helper_from == begin)].tolist()
    return str(teller.words["and"]).join(map(teller.person, sorted({worker, *helpers})))


def _by_itself(teller: _Teller, item: int) -> Iterator[Line]:
    """The lines of an item that needs nobody: automated, handed over, waiting, joined."""
    run, log = teller.run, teller.run.log
    step = run.workload.step[item]
    name, kind = run.workload.steps.names[step], run.workload.steps.kind[step]
    if item in run.silent:
        yield _silence(teller, item, name)
    if kind == "silence" or item in run.silent:
        return
    kind = kind if f"{kind}_ends" in teller.words else "task"
    begin, end = int(log.started_at[item]), int(log.completed_at[item])
    if begin >= 0 and kind != "join":
        yield Line(begin, item, 0, teller.say(f"{kind}_starts", step=name, answers=_answers(teller, item)))
    if end >= 0:
        words = {"step": name, "time": teller.lasting(end - begin), "returned": _back(teller, item)}
        yield Line(end, item, 1, teller.say(f"{kind}_ends", **words))


def _answers(teller: _Teller, item: int) -> str:
    """The remark that the customer is answered by the start of this item, where that is so."""
    run = teller.run
    work, case = run.workload, run.workload.case[item]
    if not work.steps.responds[work.step[item]] or run.log.started_at[item] != run.responded_at[case]:
        return ""
    return teller.say("answers", time=teller.lasting(int(run.responded_at[case] - work.arrived_at[case])))


def _back(teller: _Teller, item: int) -> str:
    return teller.say("returned") if teller.run.returned[item] else ""


def _breaches(teller: _Teller, case: int) -> Iterator[Line]:
    """When the time of a promise ran out; of one that was missed because the case left, its leaving says it."""
    run = teller.run
    for promise, course in enumerate(run.courses):
        if course.missed[case] and course.elapsed[case] > limits(run.workload, promise)[case]:
            at = int(course.breached_at[case])
            yield Line(at, run.workload.n_items, -1, teller.say("broken", promise=_name(teller, promise)))


def _promises(teller: _Teller, case: int) -> Iterator[str]:
    """What became of each promise, judged as the KPIs do."""
    for promise, course in enumerate(teller.run.courses):
        if course.state[case] != State.NOTHING and course.due_at[case] != NONE:
            due, verdict = teller.when(int(course.due_at[case])), _verdict(teller, case, promise)
            yield teller.say("promised", promise=_name(teller, promise), due=due, verdict=verdict)


def _name(teller: _Teller, promise: int) -> str:
    name = teller.run.workload.promises[promise]
    return teller.words[name] if teller.run.workload.promise_event[promise] else teller.say("named", name=name)


def _verdict(teller: _Teller, case: int, promise: int) -> str:
    """By how much the clock kept below the limit, or went above it."""
    course, log = teller.run.courses[promise], teller.run.log
    over = int(course.elapsed[case] - limits(teller.run.workload, promise)[case])
    time = teller.lasting(abs(over))
    if course.state[case] == State.KEPT:
        return teller.say("kept", time=time)
    if course.state[case] == State.OPEN:
        return teller.say("open")
    if course.ended_at[case] >= 0:
        return teller.say("late", time=time)
    if log.left_at[case] < 0:
        return teller.say("overdue", time=time)
    return teller.say("given_up" if log.outcome[case] in (Outcome.ABANDONED, Outcome.TURNED_AWAY) else "not_done")
