"""What all tests share: every registered engine, and how many random worlds are tried.

SERVSIM_EXAMPLES=20 pytest … tries twenty times as many.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, Verbosity, settings

from servsim.engines import ENGINES, Engine

pytest.register_assert_rewrite("worlds")

MORE = float(os.environ.get("SERVSIM_EXAMPLES", "1"))
"""So many times the ordinary number of random examples."""

settings.register_profile(
    "servsim",
    deadline=None,
    max_examples=round(100 * MORE),
    print_blob=True,
    verbosity=Verbosity.normal,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("servsim")


@pytest.fixture(scope="session", params=list(ENGINES))
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each engine in turn."""
    return ENGINES[request.param]
