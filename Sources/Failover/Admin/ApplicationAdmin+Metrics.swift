import FailoverCore
import FailoverProxy
import FailoverTLS
import FailoverTelemetry

extension ApplicationAdmin {
    func metrics() async -> String {
        let report = await traffic.report()
        state.withLock { $0.report = report ?? $0.report }
        return registry.text()
    }

    /// Adds the metrics of the application to the registry, which collects them at each scrape.
    func provideMetrics() {
        registry.describe("failover_ping_duration_seconds", "Duration of pings, including failed ones.")
        registry.describe(
            "failover_ping_local_failures_total",
            "Pings that failed on this machine: no descriptor, memory, source port, thread, file or name look-up.")
        registry.describe(
            "failover_hook_failures_total", "Hooks that failed: failover, recover, or writing settings_file.")
        registry.describe(
            "failover_boundary_questions_total",
            "Questions to servers about sessions that the proxy cannot read; result is answered, hidden, blind or failed."
        )
        registry.describe("failover_notification_failures_total", "Events that a notifier could not send.")
        let process = ProcessCollector()
        registry.addCollector { process.collect(&$0) }
        registry.addCollector { [weak self] writer in
            guard let self else { return }
            writer.gauge(
                "failover_build_info", help: "Always 1; the label is the running version.",
                labels: [("version", failoverVersion)], value: 1)
            let (loaded, isLoadedWell) = self.state.withLock { ($0.loaded, $0.isLoadedWell) }
            writer.gauge(
                "failover_config_last_reload_success",
                help: "Whether the latest load of the configuration succeeded.", value: isLoadedWell ? 1 : 0)
            writer.gauge(
                "failover_config_last_reload_timestamp_seconds",
                help: "Time of the last successful load of a configuration, in seconds since 1970.",
                value: loaded.sinceEpoch / .seconds(1))
            self.collectServices(&writer)
            self.collectRoutes(&writer)
            self.collectTraffic(&writer)
        }
    }

    private func collectServices(_ writer: inout MetricsWriter) {
        for target in current().targets {
            let report = target.monitor.report
            let service = [("service", report.name)]
            writer.gauge(
                "failover_service_up", help: "Whether the service is up, as decided after fall or rise pings in a row.",
                labels: service + [("type", target.type)], value: report.status.isUp ? 1 : 0)
            writer.gauge(
                "failover_service_suspect",
                help: "Whether sessions saw errors after the last answered ping; suspect aliases serve last.",
                labels: service,
                value: report.status.isUp && report.status.isSuspect ? 1 : 0)
            writer.gauge(
                "failover_service_degraded",
                help: "Whether the service is up and its server refuses the monitor.", labels: service,
                value: report.status.isDegraded ? 1 : 0)
            if let latest = report.history.latest {
                writer.gauge(
                    "failover_service_last_ping_success",
                    help: "Whether the latest ping succeeded, regardless of the state of the service.", labels: service,
                    value: latest.result.succeeded ? 1 : 0)
            }
            for (result, count) in [("ok", report.history.succeeded), ("failed", report.history.failed)] {
                writer.counter(
                    "failover_pings_total", help: "Pings that ended; result is ok or failed.",
                    labels: service + [("result", result)], value: Double(count))
            }
            writer.counter(
                "failover_outages_total", help: "Outages of the service.", labels: service,
                value: Double(report.outages))
        }
    }

    private func collectRoutes(_ writer: inout MetricsWriter) {
        let table = control.table
        let failovers = control.state.failovers
        for (index, route) in table.routes.enumerated() where !route.isRetired {
            let serving = table.selection(ofRoute: index).serving
            let labels = [("route", route.name)]
            for alias in route.aliases {
                writer.gauge(
                    "failover_route_current_alias",
                    help: "Whether new sessions of the route go to the alias; all 0 when none is up.",
                    labels: labels + [("alias", table.aliases[alias].name)], value: serving.contains(alias) ? 1 : 0)
            }
            writer.gauge(
                "failover_route_pinned", help: "Whether an operator has switched the route to an alias.",
                labels: labels, value: table.pin(ofRoute: index) == nil ? 0 : 1)
            writer.counter(
                "failover_failovers_total",
                help: "Times that the route changed from a preferred alias to a failover alias.", labels: labels,
                value: Double(failovers[index]))
        }
        for alias in table.aliases where !alias.isRetired {
            writer.gauge(
                "failover_alias_draining", help: "Whether an operator has drained the alias.",
                labels: [("alias", alias.name)], value: alias.isDraining ? 1 : 0)
            writer.gauge(
                "failover_alias_drilled", help: "Whether the alias counts as down because of an outage drill.",
                labels: [("alias", alias.name)], value: alias.isDrilled ? 1 : 0)
            for availability in [ServiceStanding.Availability.full, .blocked] {
                let isIt = alias.refusesSessions && alias.standing.availability == availability
                writer.gauge(
                    "failover_alias_\(availability.rawValue)",
                    help: availability == .full
                        ? "Whether the alias' server accepts no more connections; new sessions try others first."
                        : "Whether the alias' server blocks this machine; new sessions try others first.",
                    labels: [("alias", alias.name)], value: isIt ? 1 : 0)
            }
            writer.gauge(
                "failover_alias_stale",
                help: "Whether the data of the alias is too old for clients; stale aliases serve last.",
                labels: [("alias", alias.name)], value: alias.staleness == nil ? 0 : 1)
        }
        let running = current()
        for (alias, target) in zip(running.plan.aliases, running.databases) {
            let report = target?.monitor.report
            if let lag = report?.lag {
                writer.gauge(
                    "failover_alias_lag_seconds",
                    help: "How far the alias' data is behind its primary; absent if the latest ping could not read it.",
                    labels: [("alias", alias.database.name)], value: lag / .seconds(1))
            }
            if let end = report?.tls?.certificateEnds {
                collectCertificate(of: ("alias", alias.database.name), ending: end, &writer)
            }
        }
        for route in running.plan.routes where !route.isRetired {
            if let certificate = running.tls.certificate(ofRoute: route.name) {
                collectCertificate(of: ("route", route.name), ending: certificate.ends, &writer)
            }
        }
    }

    private func collectCertificate(of owner: (String, String), ending end: WallTime, _ writer: inout MetricsWriter) {
        writer.gauge(
            "failover_certificate_end_timestamp_seconds",
            help: "When the certificate of an alias' server, or of a route with client_tls, ends (seconds since 1970).",
            labels: [owner], value: Double(end.sinceEpoch.components.seconds))
    }

    private func collectTraffic(_ writer: inout MetricsWriter) {
        guard let report = state.withLock({ $0.report }) else { return }
        let table = control.table
        let traffic = TrafficByName(report, table)
        let running = current()
        for route in traffic.routes {
            collect(route, &writer)
            if running.tls.certificate(ofRoute: route.name) != nil { collectHandshakes(route, &writer) }
        }
        for (alias, kinds) in traffic.failures {
            for kind in BackendErrorKind.allCases {
                writer.counter(
                    "failover_connect_failures_total",
                    help: "Attempts to reach a backend that failed, by kind of error.",
                    labels: [("alias", alias), ("kind", kind.rawValue)], value: Double(kinds[kind] ?? 0))
            }
        }
        for (loop, lag) in report.lag.enumerated() {
            writer.gauge(
                "failover_event_loop_lag_seconds", help: "How late the event loop recently ran its timers.",
                labels: [("loop", "\(loop)")], value: Double(lag) / 1e9)
        }
    }

    private func collectHandshakes(_ traffic: TrafficByName.OfRoute, _ writer: inout MetricsWriter) {
        for (result, count) in [("ok", traffic.counts.handshakes), ("failed", traffic.counts.failedHandshakes)] {
            writer.counter(
                "failover_tls_handshakes_total",
                help: "TLS handshakes with clients that ended, of routes with client_tls; result is ok or failed.",
                labels: [("route", traffic.name), ("result", result)], value: Double(count))
        }
    }

    private func collect(_ traffic: TrafficByName.OfRoute, _ writer: inout MetricsWriter) {
        let labels = [("route", traffic.name)]
        for (alias, sessions) in traffic.aliases {
            writer.gauge(
                "failover_sessions_open", help: "Sessions that are open.", labels: labels + [("alias", alias)],
                value: Double(sessions.open))
            writer.counter(
                "failover_sessions_total", help: "Sessions that got a backend.", labels: labels + [("alias", alias)],
                value: Double(sessions.served))
        }
        writer.gauge(
            "failover_sessions_queued", help: "Sessions that wait for a free connection (queue_timeout).",
            labels: labels, value: Double(traffic.counts.queued))
        writer.gauge(
            "failover_sessions_moving", help: "Sessions that wait until they can be moved.", labels: labels,
            value: Double(traffic.counts.moving))
        for (direction, bytes) in [
            ("client_to_backend", traffic.counts.fromClients), ("backend_to_client", traffic.counts.fromBackends),
        ] {
            writer.counter(
                "failover_bytes_total",
                help: "Bytes relayed; direction is client_to_backend or backend_to_client.",
                labels: labels + [("direction", direction)], value: Double(bytes))
        }
        for (name, help, count) in [
            (
                "failover_sessions_refused_total",
                "Clients that got no backend: a limit, a closed route, or no alias up.", traffic.counts.refused
            ),
            (
                "failover_retries_total", "Sessions that another alias served after one had failed.",
                traffic.counts.retried
            ),
            (
                "failover_drains_total", "Sessions closed so that they move to another alias or a new process.",
                traffic.counts.moved
            ),
            (
                "failover_drains_attested_total",
                "Those of failover_drains_total whose server had said that they were at a transaction boundary.",
                traffic.counts.attested
            ),
            (
                "failover_bytes_after_close_total",
                "Sessions that were closed to move while their client was sending: its request failed.",
                traffic.counts.bytesAfterClose
            ),
            (
                "failover_queue_timeouts_total", "Clients that waited for a free connection until queue_timeout.",
                traffic.counts.queueTimeouts
            ),
        ] {
            writer.counter(name, help: help, labels: labels, value: Double(count))
        }
    }
}
