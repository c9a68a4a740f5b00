"""For any history of a fleet, wherever the watch breaks: the folded view ends equal to the truth, and nothing is told
twice."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from hodei_k8s_core.simulation.faults import (
    CutStream,
    ExpireVersions,
    LoseReply,
    LoseRequest,
    Restart,
    Rule,
    Stall,
    StallStream,
    server_error,
    throttled,
)
from hodei_k8s_core.simulation.world import World
from tests.core.fleet_history import ACTIONS, NAMES, Critic, Fleet, face, truth, watch_until
from tests.core.thoroughness import examples

ACTED = 100.0
"""Seconds in which everything happens; then faults end too."""
SETTLED = 290.0

moments = st.floats(0, ACTED, allow_nan=False).map(
    lambda seconds: seconds + 0.003
)  # no limit of a stage is met exactly
histories = st.lists(st.tuples(moments, st.sampled_from(ACTIONS), st.sampled_from(NAMES)), max_size=30)
stream_faults = st.one_of(
    st.builds(CutStream, after=st.integers(0, 4000), clean=st.booleans()),
    st.builds(StallStream, after=st.integers(0, 4000)),
    st.builds(ExpireVersions, as_http=st.booleans()),
    st.just(Restart()),
    st.just(LoseRequest()),
    st.just(LoseReply()),
    st.just(Stall()),
    st.just(server_error()),
    st.just(throttled(1)),
)
list_faults = st.one_of(st.just(ExpireVersions()), st.just(Restart()), st.just(LoseReply()), st.just(server_error()))
rules = st.lists(
    st.one_of(
        st.builds(Rule, st.just("watch"), st.just("pods"), stream_faults, st.integers(1, 6), st.integers(1, 3)),
        st.builds(Rule, st.just("list"), st.just("pods"), list_faults, st.integers(1, 9), st.integers(1, 2)),
    ),
    max_size=6,
)


@settings(max_examples=examples(150), deadline=None)
@given(
    history=histories,
    faults=rules,
    cuts=st.lists(moments, max_size=3),
    expiries=st.lists(moments, max_size=2),
    max_chunk=st.sampled_from([None, None, 1, 7, 300]),
    doubled=st.booleans(),
    populated=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_the_view_ends_equal_to_the_truth_and_nothing_is_told_twice(
    history, faults, cuts, expiries, max_chunk, doubled, populated, seed
) -> None:
    world = World(faults=faults, max_chunk=max_chunk, seed=seed)
    fleet = Fleet(world.cluster)
    for name in NAMES if populated else ():
        fleet.create(name)
    for moment, action, name in history:
        world.at(moment, lambda _, action=action, name=name: action(fleet, name))
    for moment in cuts:
        world.at(moment, lambda cluster: cluster.cut_streams())
    for moment in expiries:
        world.at(moment, lambda cluster: cluster.restart())
    world.at(ACTED, lambda _: world.plan.rules.clear())
    critic = Critic(fleet)
    watch_until(world, SETTLED, critic.take, doubled=doubled and max_chunk is None)
    assert critic.view.is_synced
    assert {name: face(info) for name, info in critic.view.workers.items()} == truth(world, fleet)
