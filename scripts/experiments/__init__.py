"""Experiments on running servers: benchmarks, fault tests, a soak test, the cost of pings.

scripts/bench, scripts/faults, scripts/soak, scripts/pings and docker/faults are the commands. docker/load's image holds
the package too: the application under load is part of it.
"""
