"""What Jupyter's ``/metrics`` tells of services, in Prometheus's terms."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from .services.registry import Registry
from .states import ServiceState


class ServiceMetrics(Collector):
    """Reads the registry each time it is asked, so that nothing can be out of date.

    Memory is what the services' keepers were last heard to say: a scrape waits for nobody, and asks
    them for the next one.
    """

    def __init__(self, registry: Registry, collectors: CollectorRegistry) -> None:
        self._registry = registry
        self._collectors = collectors

    def open(self) -> None:
        """Be asked from now on."""
        self._collectors.register(self)

    def close(self) -> None:
        """Be asked no more."""
        self._collectors.unregister(self)

    def describe(self) -> list[Metric]:
        """Nothing to look at yet: names are known once there are services."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The families of metrics, with a sample for each service."""
        state = GaugeMetricFamily(
            "vce_service_state",
            "1 for the state a service is in, 0 for the others",
            labels=["service", "state"],
        )
        restarts = CounterMetricFamily(
            "vce_service_restarts",
            "How often a service was started again after it had died",
            labels=["service"],
        )
        ready = GaugeMetricFamily(
            "vce_service_ready_seconds",
            "Seconds from the start of a service to its being ready, at its last start",
            labels=["service"],
        )
        memory = GaugeMetricFamily(
            "vce_service_memory_bytes",
            "Memory of a service's whole process tree (PSS where it can be read, else RSS)",
            labels=["service"],
        )
        for name in self._registry.names():
            item = self._registry.get(name)
            for each in ServiceState:
                state.add_metric([name, each.value], float(item.state is each))
            restarts.add_metric([name], item.restarts)
            if item.ready_seconds is not None:
                ready.add_metric([name], item.ready_seconds)
            used = self._registry.memory(name)
            if used is not None:
                memory.add_metric([name], used)
        yield from (state, restarts, ready, memory)
