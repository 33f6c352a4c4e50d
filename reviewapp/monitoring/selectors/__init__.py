"""Reads of monitoring."""

from reviewapp.monitoring.selectors.estimates import Estimate, configuration_named, estimate, pass_rates
from reviewapp.monitoring.selectors.traffic import (
    ConfigurationTraffic,
    Day,
    GuardrailTraffic,
    traffic_by_configuration,
    traffic_by_day,
    traffic_by_guardrail,
)
from reviewapp.monitoring.selectors.windows import Window, parse_window

__all__ = [
    "ConfigurationTraffic",
    "Day",
    "Estimate",
    "GuardrailTraffic",
    "Window",
    "configuration_named",
    "estimate",
    "parse_window",
    "pass_rates",
    "traffic_by_configuration",
    "traffic_by_day",
    "traffic_by_guardrail",
]
