import FailoverCore
import FailoverProxy
import Logging

extension Configuration {
    /// The effective configuration as YAML: every key with its value, defaults filled in, secrets as `(hidden)`.
    ///
    /// The settings of monitoring stand with the aliases and services that they came to hold for, not at the top.
    public func rendered() -> String {
        var text = YAMLWriter()
        text.section("databases", isEmpty: databases.isEmpty) { text in
            for alias in databases { text.section(alias.name) { alias.write(to: &$0) } }
        }
        text.section("services", isEmpty: services.isEmpty) { text in
            for service in services { text.section(service.name) { service.write(to: &$0) } }
        }
        text.list("notify", notifiers) { $1.write(to: &$0) }
        if let settingsFile { text.key("settings_file", settingsFile) }
        if let takeoverSocket { text.key("takeover_socket", takeoverSocket) }
        if let admin {
            text.section("admin") { text in
                text.key("listen", admin.listen.map(\.description))
                if let token = admin.token { text.key("token", token.description) }
            }
        }
        text.section("log") { text in
            text.key("level", log.level.rawValue)
            text.key("format", log.format.rawValue)
        }
        text.key("worker_threads", workerThreads)
        text.key("shutdown_grace", shutdownGrace)
        text.key("max_buffer_memory", UInt64(maxBufferMemory ?? 0).byteText)
        return text.text
    }
}

extension DatabaseAlias {
    fileprivate func write(to text: inout YAMLWriter) {
        text.key("engine", server.engine.rawValue)
        if server.alternatives.isEmpty {
            server.endpoint.write(to: &text)
        } else {
            text.key("host", server.endpoints.map(\.description))
        }
        if server.engine != .tcp {
            if let user = server.user { text.key("user", user) }
            if let password = server.password { text.key("password", password.description) }
            if let methods = server.passwordMethods {
                let known = DatabaseServer.PasswordMethod.allCases
                text.key("password_methods", known.filter(methods.contains).map(\.rawValue))
            }
            if let name = server.databaseName { text.key("name", name) }
            text.key("tls", server.tls.rawValue)
            if let path = server.tlsAuthorities { text.key("tls_ca", path) }
            text.key("ping_query", server.pingQuery)
            if let role = server.role { text.key("role", role.rawValue) }
            if let replication = server.replication {
                if let maxLag = replication.maxLag {
                    text.key("max_lag", maxLag)
                    text.key("lag_recovers_at", replication.recoversAt)
                }
                if let bytes = replication.maxLagBytes { text.key("max_lag_bytes", bytes.byteText) }
                text.key("replication_stopped", replication.whenStopped.rawValue)
                if let query = replication.heartbeatQuery { text.key("heartbeat_query", query) }
            }
        }
        text.key("ping_timeout", monitor.pingTimeout)
        text.key("outage_ping_timeout", monitor.outagePingTimeout)
        if server.engine != .tcp { text.key("refused_ping", monitor.refusedPing.rawValue) }
        text.key("max_connections", maxConnections ?? 0)
        text.key("weight", weight)
        monitor.write(to: &text)
    }
}

extension ServiceConfiguration {
    fileprivate func write(to text: inout YAMLWriter) {
        switch kind {
        case .database(let route):
            text.key("type", "database")
            route.write(to: &text)
        case .watched(let server, let monitor):
            server.write(to: &text)
            text.key("timeout", monitor.pingTimeout)
            monitor.write(to: &text)
        }
        if !failoverSettings.isEmpty {
            text.section("failover_settings") { text in
                for (name, value) in failoverSettings.sorted(by: { $0.key < $1.key }) { text.key(name, value) }
            }
        }
        if let closure {
            text.section("close_during_outage") { text in
                text.key("routes", closure.routes)
                text.key("message", closure.message)
            }
        }
    }
}

extension DatabaseRoute {
    fileprivate func write(to text: inout YAMLWriter) {
        if ownCount == 1, let own = aliases.first {
            text.key("db_alias", own)
        } else {
            text.key("db_alias", Array(ownAliases))
        }
        text.key("balance", balance.policy.rawValue)
        text.key("slow_start", balance.slowStart)
        text.key("min_replicas", minReplicas)
        text.key("failover_db_alias", Array(failoverAliases))
        text.key("serve_stale", (servesStale ? Truth.true : .false).rawValue)
        text.key("max_suspect_share", maxSuspectShare)
        text.key("listen", listen.map(\.description))
        if let mode = socketAccess.mode {
            let digits = String(mode, radix: 8)
            text.key("listen_mode", String(repeating: "0", count: max(0, 4 - digits.count)) + digits)
        }
        if let group = socketAccess.group { text.key("listen_group", group) }
        if let allow { text.key("allow", allow.networks.map(\.description)) }
        text.key("max_connections", maxConnections ?? 0)
        text.key("max_connections_per_source", maxConnectionsPerSource ?? 0)
        text.key("connection_rate_per_source", connectionRatePerSource ?? 0)
        session.write(to: &text)
        text.key("error_triggers", BackendErrorKind.allCases.filter(errorTriggers.contains).map(\.rawValue))
    }
}

extension SessionSettings {
    fileprivate func write(to text: inout YAMLWriter) {
        text.key("connect_timeout", connectTimeout)
        text.key("greeting_timeout", greetingTimeout)
        text.key("client_startup_timeout", clientStartupTimeout)
        text.key("idle_timeout", idleTimeout ?? .zero)
        text.key("half_close_timeout", halfCloseTimeout)
        text.key("tcp_user_timeout", tcpUserTimeout ?? .zero)
        text.key("stall_timeout", stallTimeout ?? .zero)
        text.key("keepalive", keepalive ?? .zero)
        text.key("on_outage", onOutage.rawValue)
        text.key("on_recovery", onRecovery.rawValue)
        text.key("drain_deadline", drainDeadline ?? .zero)
        text.key("drain_rate", drainRate)
        text.key("queue_timeout", queueTimeout ?? .zero)
        text.key("send_proxy", SendProxyChoice(sendProxy).rawValue)
        text.key("accept_proxy", (acceptProxy ? Switch.on : .off).rawValue)
        text.key("failover_read_only", (failoverReadOnly ? Truth.true : .false).rawValue)
        text.key("read_only_opaque", readOnlyOpaque.rawValue)
    }
}

extension MonitorSettings {
    fileprivate func write(to text: inout YAMLWriter) {
        text.key("monitoring_ping_frequency", frequencies.monitoringInterval)
        text.key("outage_ping_frequency", frequencies.outageInterval)
        text.key("error_ping_frequency", frequencies.errorInterval)
        text.key("outage_logging_frequency", frequencies.outageLoggingInterval)
        text.key("rise", rise)
        text.key("fall", fall)
        text.key("suspect_after", suspectAfter)
    }
}

extension Endpoint {
    func write(to text: inout YAMLWriter) {
        switch self {
        case .tcp(let host, let port):
            text.key("host", host)
            text.key("port", Int(port))
        case .unix: text.key("host", description)
        }
    }
}
