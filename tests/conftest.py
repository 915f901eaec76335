"""What holds for every test: examples are counted, not timed, since the machine may be busy with other tests."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("counted", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("counted")
