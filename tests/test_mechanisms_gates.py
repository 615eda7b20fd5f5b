"""Meetings, deliveries and approvals: by hand with the whole log, against theory, and in a scenario."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from worlds import Case, Do, Gate, Person, Team, World, expect, mapping, tiny

from servsim import prepare
from servsim.engines import Engine
from servsim.engines.reference import simulate as reference
from servsim.kpis.causes import waiting_until
from servsim.lint import lint
from servsim.model import Clock, Scenario
from servsim.model.steps import Timetable
from servsim.quantities import DAY, HOUR, MINUTE
from servsim.simulate import SimulatedRun, simulate


def at_board(gate: Gate, cases: dict[str, Case], **changes: Any) -> World:
    return tiny(cases, gates={"board": gate}, **changes)


def goes_to_board(at: int, work: int = 0, **more: Any) -> Case:
    return Case(at, [Do(None, work, gate="board")], **more)


def scenario(steps: dict[str, Any], start: str = "", **changes: Any) -> Scenario:
    process = {"start": start or next(iter(steps)), "steps": steps}
    return Scenario.model_validate(mapping(processes={"p": process}, **changes))


# ------------------------------------------------------------------ rule 12, by hand


def test_rule_12_at_most_so_many_oldest_first_and_none_who_comes_too_late(engine: Engine) -> None:
    """Truth M31: 10:00 and 14:00, two seats, submission 30 minutes before. N3 misses 9:30, N5 misses 13:30."""
    gate = Gate([600, 840, 2040, 2280], seats=2, deadline=30)
    cases = {f"n{k + 1}": goes_to_board(at) for k, at in enumerate([550, 560, 580, 800, 815])}
    expect(
        engine,
        at_board(gate, cases, until=2880),
        """
        n1 550 550  600  600
        n2 560 560  600  600
        n3 580 580  840  840
        n4 800 800  840  840
        n5 815 815 2040 2040
        left n1 600, n2 600, n3 840, n4 840, n5 2040
        """,
    )


def test_rule_12_who_comes_at_the_tick_of_the_meeting_takes_part(engine: Engine) -> None:
    expect(engine, at_board(Gate([10]), {"a": goes_to_board(10)}), "a 10 10 10 10\nleft a 10")


def test_rule_12_all_at_once_or_in_turn_within_the_length_of_the_meeting(engine: Engine) -> None:
    cases = {"a": goes_to_board(0, 20), "b": goes_to_board(1, 50), "c": goes_to_board(2, 10)}
    lines = "a 0 0 60 80\nb 1 1 60 110\nc 2 2 60 70\nleft a 80, b 110, c 70"
    expect(engine, at_board(Gate([60, 180]), cases), lines)
    in_turn = "a 0 0 60 80\nb 1 1 180 230\nc 2 2 180 240\nleft a 80, b 230, c 240"  # b ends after 70 minutes: too long
    expect(engine, at_board(Gate([60, 180], lasts=60), cases), in_turn)


def test_rule_12_all_who_leave_together_are_dispatched_together(engine: Engine) -> None:
    """b is more urgent than a; at 60 ann, idle, sees both."""
    cases = {
        "a": Case(0, [Do(None, gate="board"), Do("desk", 5, rank=2)]),
        "b": Case(1, [Do(None, gate="board"), Do("desk", 5, rank=1)]),
    }
    expect(
        engine,
        at_board(Gate([60]), cases),
        """
        a.board 0 0 60 60
        a.desk 60 60 65 70 ann
        b.board 1 1 60 60
        b.desk 60 60 60 65 ann
        left a 70, b 65
        """,
    )


def test_rule_12_who_gives_up_leaves_the_seat_to_another(engine: Engine) -> None:
    cases = {"a": goes_to_board(0, patience=30), "b": goes_to_board(5)}
    expect(engine, at_board(Gate([60], seats=1), cases), "a 0 0 - -\nb 5 5 60 60\nleft a 30 abandoned, b 60")


# ------------------------------------------------------------------ in a scenario

COURIER = {"kind": "handoff", "to": "office", "deliveries": ["10:00", "12:00"], "next": "read"}


def test_a_courier_at_set_times() -> None:
    """Truth M60: f3 just misses the courier of 10:00."""
    steps = {
        "write": {"kind": "task", "skill": "a", "time": "15 min", "next": "courier"},
        "courier": COURIER,
        "read": {"kind": "task", "skill": "b", "time": "30 min", "next": "end"},
    }
    at = {"kind": "appointments", "days": "mon", "times": ["09:10", "09:20", "09:50"]}
    run = simulate(
        scenario(
            steps,
            pools={"a": {"department": "office"}, "b": {"department": "office"}},
            staffing={"a": {"always": 1}, "b": {"always": 1}},
            demand={"files": {"case_class": "ordinary", "arrivals": at}},
        )
    )
    assert (run.log.left_at // MINUTE).tolist() == [630, 660, 750]
    assert figure(run, "meeting_wait_mean", "step=courier") == pytest.approx((35 + 20 + 115) / 3)
    assert figure(run, "meeting_left_mean") == 0


def figure(run: SimulatedRun, kpi: str, group: str = "all") -> float:
    table = run.kpis()
    return float(table[(table.kpi == kpi) & (table.group == group)].value.iloc[0])


def test_meetings_on_working_days_and_every_so_often() -> None:
    board = {"kind": "meeting", "days": "mon-fri", "times": ["14:00", "10:00"], "next": "end"}
    clock = {"start": "2026-03-06 12:00", "horizon": "4 d", "exceptions": {"2026-03-09": "closed"}}  # Friday noon
    at = prepare.plan(scenario({"board": board}, clock=clock)).gate_at
    assert at.tolist() == [2 * HOUR, 3 * DAY + 22 * HOUR]
    every = {"kind": "meeting", "every": "36 h", "first": "1 h", "next": "end"}
    at = prepare.plan(scenario({"board": every}, clock=clock)).gate_at
    assert at.tolist() == [HOUR, 37 * HOUR, 73 * HOUR]


def test_meet_03_a_limited_agenda_against_theory() -> None:
    """Poisson 0.035 a minute, every 120 minutes 5 seats: bulk service at fixed epochs (Bailey 1954)."""
    board = {"kind": "meeting", "every": "2 h", "seats": 5, "next": "end"}
    source = {"case_class": "ordinary", "arrivals": {"kind": "poisson", "rate": "2.1/h"}}
    clock = {"start": "2026-03-02", "warm_up": "30 d", "horizon": "3030 d", "run_out": "3 d"}
    world = scenario({"board": board}, clock=clock, demand={"calls": source})
    runs = [simulate(world, 1, k) for k in range(6)]
    wait = np.array([figure(run, "meeting_wait_mean") for run in runs])
    left = np.array([figure(run, "meeting_left_mean") for run in runs])
    for values, expected in ((wait, 109.082922147), (left, 1.71790227514)):
        assert abs(values.mean() - expected) < 4 * values.std(ddof=1) / 6**0.5, values
        assert values.std(ddof=1) / 6**0.5 < 0.02 * expected


def test_a_gate_leaves_all_other_draws_as_they_were() -> None:
    task = {"kind": "task", "skill": "desk", "time": {"kind": "exponential", "mean": "5 min"}, "next": "end"}
    board = {"kind": "meeting", "every": "2 h", "time": {"kind": "exponential", "mean": "5 min"}, "next": "serve"}
    with_it, without = (prepare.workload(scenario(s, "board" if "board" in s else "serve"), 1, 0) for s in (
        {"board": board, "serve": task}, {"serve": task}))  # fmt: skip
    assert (with_it.arrived_at == without.arrived_at).all()
    assert (with_it.work[with_it.skill >= 0] == without.work).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"times": None}, "give one of `times`"),
        ({"times": ["10:00"], "every": "2 h"}, "give one of `times`"),
        ({"by_day": {"mon": ["10:00"]}}, "give one of `times`"),
        ({"times": None, "by_day": {"mon": ["10:00"], "mon-tue": ["11:00"]}}, "mon is given twice"),
        ({"times": None, "by_day": {"mon": []}}, "names no time of the day"),
        ({"times": None, "by_day": {"mon": ["10:00"]}, "days": "mon"}, "has no `days`"),
        ({"times": []}, "names no time of the day"),
        ({"times": None, "every": "0 h"}, "longer than zero"),
        ({"times": None, "every": "2 h", "days": "mon"}, "runs on all days"),
        ({"seats": 0}, "without seats"),
    ],
)
def test_bad_meetings(changes: dict[str, Any], message: str) -> None:
    board = {"kind": "meeting", "times": ["10:00"], "next": "end", **changes}
    with pytest.raises(ValidationError, match=message):
        scenario({"board": {key: value for key, value in board.items() if value is not None}})


def test_rule_12_other_times_on_other_days() -> None:
    """Monday 10:00 and 14:00, Wednesday 09:00; the Thursday is a holiday and like a Sunday, the Friday is closed."""
    days = {"mon": ["10:00", "14:00"], "wed": ["09:00"], "fri": ["08:00"], "sun": ["12:00"]}
    table = Timetable.model_validate({"by_day": days})
    exceptions = {"2026-03-05": "holiday", "2026-03-06": "closed"}
    clock = Clock.model_validate({"start": "2026-03-02", "horizon": "7 d", "exceptions": exceptions})
    hours = [10, 14, 48 + 9, 72 + 12, 144 + 12]
    assert (table.openings(clock) / HOUR).tolist() == hours


def listed(kind: str, **cases: str) -> dict[str, Any]:
    written = {name: {"at": at} for name, at in cases.items()}
    return {"case_class": kind, "arrivals": {"kind": "listed", "cases": written}}


def committee(seats: int = 1, other: dict[str, Any] | None = None) -> Scenario:
    """Two processes whose cases are decided by the same committee at 10:00 and 14:00."""
    board = {"kind": "meeting", "times": ["10:00", "14:00"], "seats": seats, "committee": "loans", "next": "end"}
    return Scenario.model_validate(
        mapping(
            clock={"start": "2026-03-02", "horizon": "1 d"},
            case_classes={"small": {"process": "small"}, "large": {"process": "large"}},
            processes={
                "small": {"start": "decide", "steps": {"decide": board}},
                "large": {"start": "vote", "steps": {"vote": board | (other or {})}},
            },
            demand={"small": listed("small", a="8:00", d="9:30"), "large": listed("large", b="8:30", c="9:00")},
        )
    )


def test_rule_12_one_committee_has_one_agenda_and_its_seats_once() -> None:
    """Oldest first, whichever step they come from: a at 10:00, b at 14:00, and c and d on no other day."""
    run = simulate(committee())
    assert (run.log.started_at / HOUR).tolist() == [10, 14, -1 / HOUR, -1 / HOUR]
    run = simulate(committee(seats=3))
    assert (run.log.started_at / HOUR).tolist() == [10, 10, 10, 14]
    assert len(run.plan.gates) == 1


@pytest.mark.parametrize("change", [{"seats": 4}, {"times": ["10:00"]}, {"deadline": "1 h"}])
def test_a_committee_says_everywhere_the_same(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=r"the committee 'loans' meets as 'small\.decide' says"):
        committee(1, other=change)


def test_lint_counts_what_comes_to_a_committee_together() -> None:
    (found,) = lint(committee())
    assert (found.severity, "4 items come to 2 meetings" in found.message) == ("warning", True)
    assert not lint(committee(seats=2))


def test_lint_sees_fewer_seats_than_inflow_and_meetings_that_are_never_held() -> None:
    board = {"kind": "meeting", "times": ["10:00"], "seats": 3, "next": "end"}
    (found,) = lint(scenario({"board": board}))
    assert found.severity == "warning" and "240 items come to 1 meetings" in found.message
    (found,) = lint(scenario({"board": {**board, "days": "sun"}}))
    assert found.severity == "error" and "no meeting is held" in found.message


# ------------------------------------------------------------------ approvals as one object

NUMBER = {"numbers": {"kind": "uniform", "low": 0, "high": 90_000}}
AMOUNT = {"ordinary": {"process": "p", "attributes": {"amount": NUMBER}}}


def office(*skills: str) -> dict[str, Any]:
    pools = {skill: {"department": "office"} for skill in skills}
    return {"pools": pools, "staffing": {skill: {"always": 3} for skill in skills}}


def works(steps: dict[str, Any], *skills: str, **changes: Any) -> SimulatedRun:
    return simulate(scenario(steps, **{**office(*skills), **changes}))


LADDER = {
    "kind": "approval", "by": "amount", "levels": {5000: "clerk", 50000: "manager"}, "above": "director",
    "time": {"kind": "exponential", "mean": "5 min"}, "next": "end",
}  # fmt: skip


def test_the_amount_decides_who_approves_and_the_work_is_the_same_whoever_does() -> None:
    people = ("clerk", "manager", "director")
    run = works({"check": LADDER}, *people, case_classes=AMOUNT)
    plain = works({"check": {"kind": "approval", "skill": "clerk", "time": LADDER["time"], "next": "end"}}, *people)
    work = run.workload
    done = work.work[work.skill >= 0]
    assert (np.sort(done) == np.sort(plain.workload.work)).all()
    shares = np.bincount(work.skill[work.skill >= 0], minlength=3) / len(done)
    assert shares == pytest.approx([5 / 90, 45 / 90, 40 / 90], abs=0.1)
    assert set(work.steps.names) == {"check_clerk", "check_manager", "check_director"}


def test_a_chain_decides_level_by_level_each_with_its_own_verdict() -> None:
    chain = [{"skill": "a", "return": 0.5, "return_to": "write", "rounds": 1}, {"skill": "b", "reject": 1.0}, "c"]
    steps = {
        "write": {"kind": "task", "skill": "a", "time": "1 min", "next": "check"},
        "check": {"kind": "approval", "chain": chain, "time": "2 min", "next": "end"},
    }
    run = works(steps, "a", "b", "c")
    names = [run.workload.steps.names[step] for step in run.workload.step]
    assert set(names) == {"write", "check", "check_2"} and (run.log.outcome[run.log.left_at >= 0] == 2).all()
    visits = run.workload.visit[run.workload.step == run.workload.steps.names.index("write")]
    assert visits.max() == 1 and 0.3 < visits.mean() / (1 - visits.mean()) < 0.7


def test_an_approval_decided_in_a_meeting_returns_and_rejects_like_any_other() -> None:
    meeting = {"times": ["10:00"], "seats": 5, "deadline": "30 min"}
    check = {"kind": "approval", "meeting": meeting, "return": 0.5, "return_to": "write", "rounds": 1, "next": "end"}
    steps = {"write": {"kind": "task", "skill": "a", "time": "1 min", "next": "check"}, "check": check}
    run = works(steps, "a", clock={"start": "2026-03-02", "horizon": "9 d"})
    met = np.flatnonzero((run.workload.gate == 0) & (run.log.started_at >= 0))
    at = run.log.started_at[met]
    assert (at % DAY == 10 * HOUR).all() and (np.bincount(at // DAY) == 5).all()
    assert 0.2 < run.workload.returned[run.workload.visit == 0].mean() * 2 < 0.8
    other = {**check, "skill": "a", "time": "1 min"}
    del other["meeting"]
    queue = works({**steps, "check": other}, "a", clock={"start": "2026-03-02", "horizon": "9 d"})
    assert (queue.workload.returned == run.workload.returned).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"above": None}, "nobody approves 50000 and more"),
        ({"by": None}, "name the attribute that decides the level"),
        ({"skill": "clerk"}, "cannot be combined with `skill`"),
        ({"by": "height"}, "no attribute 'height'"),
        ({"levels": {5000: "nobody"}}, "no pool has the skill 'nobody'"),
    ],
)
def test_bad_ladders(changes: dict[str, Any], message: str) -> None:
    check = {key: value for key, value in {**LADDER, **changes}.items() if value is not None}
    with pytest.raises(ValidationError, match=message):
        scenario({"check": check}, **office("clerk", "manager", "director"), case_classes=AMOUNT)


# ------------------------------------------------------------------ signed later, or not at all

SHIFTS = {"early": {"days": "all", "hours": "08:00-16:00"}, "late": {"days": "all", "hours": "13:00-16:00"}}
ONE = {"case_class": "ordinary", "arrivals": {"kind": "appointments", "days": "mon", "times": ["10:00"]}}
TASK = {"kind": "task", "skill": "staff", "time": "1 h"}
SIGN = {"kind": "approval", "skill": "boss", "time": "10 min"}


def one_day(steps: dict[str, Any]) -> SimulatedRun:
    staff = {"staff": {"early": 1}, "boss": {"late": 1}}
    return works(steps, "staff", "boss", staffing=staff, shifts=SHIFTS, demand={"calls": ONE})


def minutes(ticks: Any) -> list[int]:
    return (np.asarray(ticks) // MINUTE).tolist()


def test_sign_first_or_later() -> None:
    """Truth M24 and M26: delivered at 11:00 and closed at 13:10, or delivered and closed at 14:10."""
    later = one_day({"work": {**TASK, "next": "sign"}, "sign": {**SIGN, "timing": "after", "next": "end"}})
    assert (minutes(later.delivered_at), minutes(later.log.left_at)) == ([660], [790])
    first = one_day({"sign": {**SIGN, "next": "work"}, "work": {**TASK, "next": "end"}})
    assert (minutes(first.delivered_at), minutes(first.log.left_at)) == ([850], [850])
    beside = one_day({"sign": {**SIGN, "timing": "after", "next": "work"}, "work": {**TASK, "next": "end"}})
    assert (minutes(beside.delivered_at), minutes(beside.log.left_at)) == ([660], [790])
    assert figure(beside, "delivery_time_mean") == 60 and figure(beside, "cycle_time_mean") == 190


def test_a_late_refusal_costs_money_and_has_the_work_done_again() -> None:
    refusal = {"share": 1.0, "cost": 500, "redo": "work"}
    sign = {**SIGN, "timing": "after", "late_refusal": refusal, "next": "end"}
    run = one_day({"work": {**TASK, "next": "sign"}, "sign": sign})
    assert (minutes(run.delivered_at), minutes(run.log.left_at)) == ([660], [850])  # 13:10 and an hour
    assert figure(run, "late_refusal_share") == 1 and figure(run, "cost_late_refusals") == 500
    assert figure(run, "cost_total") == 500


MANY = {
    "work": {"kind": "task", "skill": "staff", "time": {"kind": "exponential", "mean": "5 min"}, "next": "sign"},
    "sign": {**SIGN, "return": 0.2, "return_to": "work", "reject": 0.1, "next": "post"},
    "post": {"kind": "task", "skill": "staff", "time": {"kind": "exponential", "mean": "2 min"}, "next": "end"},
}


def many(**changes: Any) -> SimulatedRun:
    return works({**MANY, "sign": {**MANY["sign"], **changes}}, "staff", "boss")


def draws(run: SimulatedRun, step: str, visit: int = 0) -> dict[int, int]:
    work = run.workload
    chosen = np.flatnonzero((work.step == work.steps.names.index(step)) & (work.visit == visit))
    return dict(zip(work.case[chosen].tolist(), work.work[chosen].tolist(), strict=True))


def test_those_are_refused_late_who_would_have_been_refused_before_and_all_draws_stay() -> None:
    before, after = many(), many(timing="after", late_refusal={"cost": 3, "redo": "post"})
    first = (before.workload.visit == 0) & (before.workload.step == before.workload.steps.names.index("sign"))
    refused = before.workload.returned[first] | (before.workload.leaves[first] == 2)
    assert set(after.workload.case[after.workload.refused == 1]) == set(np.flatnonzero(refused))
    assert draws(after, "work") == draws(before, "work")
    again, once = draws(after, "post", 1), draws(before, "post")
    assert set(again) == set(np.flatnonzero(refused))
    assert all(draws(after, "post")[case] == work for case, work in once.items())


def test_skipped_approvals_are_counted_and_cost_nobody_any_time() -> None:
    run, none, before = many(skipped={"share": 0.4}), many(timing="skip"), many()
    assert figure(run, "non_compliant_share") == pytest.approx(0.4, abs=0.12)
    assert figure(none, "non_compliant_share") == pytest.approx(figure(none, "completion_rate"), abs=0.05)
    assert not (none.workload.skill == 1).any() and figure(before, "non_compliant_share") == 0
    assert draws(none, "post") and draws(run, "work") == draws(before, "work") == draws(none, "work")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"late_refusal": {"cost": 3}}, "only what is signed after the work is refused late"),
        ({"timing": "after", "late_refusal": {"redo": "nothing"}}, "there is no step 'nothing'"),
        ({"timing": "after", "late_refusal": {"redo": "end"}}, "'end' is no task"),
        ({"timing": "never"}, "before"),
    ],
)
def test_bad_timing(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        many(**changes)


def test_levels_may_be_signed_later_a_chain_may_not() -> None:
    run = works({"check": {**LADDER, "timing": "after"}}, "clerk", "manager", "director", case_classes=AMOUNT)
    assert (run.delivered_at[run.log.left_at >= 0] == run.workload.arrived_at[run.log.left_at >= 0]).all()
    with pytest.raises(ValidationError, match="cannot be combined with a chain"):
        scenario({"check": {"kind": "approval", "chain": ["desk"], "timing": "after", "time": "1 min", "next": "end"}})


# ------------------------------------------------------------------ hand-overs by pair of departments


def pushed(table: dict[str, Any], **push: Any) -> SimulatedRun:
    steps = {
        "take": {"kind": "task", "skill": "desk", "time": "1 min", "next": "push"},
        "push": {"kind": "handoff", "from": "front", "to": "back", "next": "end", **push},
    }
    names = {name: {} for name in ("front", "back")}
    pools = {"desk": {"department": "front"}}
    return simulate(scenario(steps, hand_overs=table, departments=names, pools=pools))


def test_a_pair_of_departments_has_a_delay_of_its_own() -> None:
    table = {"front": {"back": "4 h"}, "back": {"front": "1 h"}}
    for run, hours in (
        (pushed(table), 4),
        (pushed(table, delay="2 h"), 2),
        (pushed({}), 0),
        (pushed(table, to="front"), 0),
    ):
        push = run.workload.step == run.workload.steps.names.index("push")
        assert (run.workload.work[push] == hours * HOUR).all()
    with pytest.raises(ValidationError, match="there is no department 'backk'"):
        pushed({"front": {"backk": "1 h"}})


def test_returns_are_counted_by_pair() -> None:
    run = pushed({}, returned=0.25, back_to="take", rounds=9)
    share = figure(run, "handover_returns")
    assert share == pytest.approx(0.25, abs=0.08) and figure(run, "handover_returns", "pair=front>back") == share
    # every case is handed over until it is taken: those sent back twice are one case each
    back = set(run.workload.case[run.returned == 1])
    assert figure(run, "sent_back_share") == pytest.approx(len(back) / len(run.cases))
    assert figure(run, "sent_back_share") < figure(run, "returns_per_case")
    late = pushed({"front": {"back": "300 d"}}, returned=0.25, back_to="take", rounds=9)
    assert (late.returned == 1).any() and figure(late, "sent_back_share") == 0  # nobody has looked at it yet


# ------------------------------------------------------------------ rule 6: a join that needs k of n

TWO_DESKS = {"teams": {"desk": Team({"desk": 0}), "law": Team({"law": 0})}}
ANN_LEE = {"ann": Person("desk", [(0, 1000)]), "lee": Person("law", [(0, 1000)])}


def test_rule_6_a_join_goes_on_with_the_first_so_many(engine: Engine) -> None:
    """At 10 the desk's answer is there. What ann would have done next and the delay are withdrawn, lee finishes."""
    branches = (1, [Do("desk", 10)], [Do("law", 25), Do("law", 5)], [Do(None, 60)], [Do("desk", 7)])
    cases = {"a": Case(0, [branches, Do("desk", 3)])}
    expect(
        engine,
        tiny(cases, **TWO_DESKS, people=ANN_LEE),
        """
        a.fork 0 0 0 0
        a.desk 0 0 0 10 ann
        a.law 0 0 0 25 lee
        a.law2 - - - -
        a.wait 0 0 0 -
        a.desk2 0 0 - -
        a.join 10 10 10 10
        a.desk3 10 10 10 13 ann
        left a 13
        """,
    )


def test_rule_6_waiting_ends_with_the_withdrawal() -> None:
    branches = (1, [Do("law", 10)], [Do("desk", 7)])
    cases = {"b": Case(0, [Do("desk", 100)]), "a": Case(0, [branches, Do("law", 500)])}
    run = tiny(cases, **TWO_DESKS, people=ANN_LEE).run(reference)
    assert (run.log.withdrawn_item.tolist(), minutes(run.log.withdrawn_at)) == ([3], [10])
    assert minutes(waiting_until(run))[3] == 10


def test_two_of_three_departments_against_theory() -> None:
    """Exponential delays of 60 minutes each: the second of three comes after 60 × (1/3 + 1/2) on average."""
    names = ("x", "y", "z")
    delay = {"kind": "delay", "time": {"kind": "exponential", "mean": "1 h"}, "next": "met"}
    steps = {
        "ask": {"kind": "parallel", "branches": list(names), "join": "met"},
        **dict.fromkeys(names, delay),
        "met": {"kind": "join", "needs": 2, "next": "end"},
    }
    clock = {"start": "2026-03-02", "horizon": "100 d", "run_out": "2 d"}
    runs = [simulate(scenario(steps, clock=clock), 1, k) for k in range(5)]
    mean = np.array([figure(run, "cycle_time_mean") for run in runs])
    assert abs(mean.mean() - 50) < 0.5, mean
    with pytest.raises(ValidationError, match="4 of 3 branches can never come"):
        scenario({**steps, "met": {**steps["met"], "needs": 4}})
