import FailoverCore

/// A problem or a hint of `failover doctor`: what it is, why it matters, and how to remedy it.
package struct Finding: Hashable, Sendable {
    /// The subject of a finding.
    package enum Subject: Hashable, Sendable {
        case alias(String)
        case route(String)
        case service(String)
        /// The path of a file.
        case file(String)
    }

    /// The severity of a finding.
    package enum Level: String, Hashable, Sendable {
        /// Something that causes failures, now or later.
        case problem
        /// The configuration could be more precise, or something is only unusual.
        case hint
    }

    package var kind: Kind
    package var subject: Subject
    /// One sentence or more, without secrets.
    package var reason: String
    /// A statement, a command, or a line of the configuration; if none of these helps, advice.
    package var remedy: String

    package var level: Level { kind.level }

    package init(_ kind: Kind, _ subject: Subject, _ reason: String, remedy: String) {
        self.kind = kind
        self.subject = subject
        self.reason = reason
        self.remedy = remedy
    }
}

extension Finding.Subject: CustomStringConvertible {
    /// `alias slave`.
    package var description: String {
        switch self {
        case .alias(let name): "alias \(name)"
        case .route(let name): "route \(name)"
        case .service(let name): "service \(name)"
        case .file(let path): "file \(path)"
        }
    }
}

extension Finding {
    /// What was found. The raw values are a stable interface for programs.
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        /// No connection, no TLS or no login.
        case noLogin = "no-login"
        /// `ping_query` fails after a login.
        case pingQuery = "ping-query"
        /// The user has no permission to see how far a replica is behind.
        case lagHidden = "lag-hidden"
        /// The user has no permission to see which sessions are in a transaction, or the server does not record it.
        case attestHidden = "attest-hidden"
        case maxConnectErrors = "max-connect-errors"
        /// The server counts errors against this machine's address.
        case hostCacheErrors = "host-cache-errors"
        /// A server that a route uses as a replica follows no server.
        case notAReplica = "not-a-replica"
        /// The replica follows another server than the route's primary.
        case followsAnother = "follows-another"
        /// PostgreSQL: the replica is in the primary's cluster, but on another timeline.
        case otherTimeline = "other-timeline"
        case replicationStopped = "replication-stopped"
        case primaryReadOnly = "primary-read-only"
        /// Two aliases of a route are the same server.
        case sameServer = "same-server"
        case versionsDiffer = "versions-differ"
        case timeZonesDiffer = "time-zones-differ"
        case clocksDiffer = "clocks-differ"
        /// The server accepts fewer sessions than the proxy may open.
        case serverLimit = "server-limit"
        /// The primary has no room for the replicas' sessions.
        case primaryTooSmall = "primary-too-small"
        case certificateEnds = "certificate-ends"
        case authorityEnds = "authority-ends"
        /// PostgreSQL: SCRAM binds logins to the proxy's certificate, and the server has another one.
        case channelBinding = "channel-binding"
        case nameUnresolved = "name-unresolved"
        /// The addresses of a name differ from one look-up to the next.
        case nameChanges = "name-changes"
        /// One of several addresses does not answer as expected.
        case addressDown = "address-down"
        /// One of the servers that an alias may move to does not answer as expected.
        case candidateDown = "candidate-down"
        /// An alias with `role: primary` has several servers, and more than one of them accepts writes.
        case severalPrimaries = "several-primaries"
        case severalServers = "several-servers"
        case severalAddresses = "several-addresses"
        case secretReadable = "secret-readable"
        case configurationReadable = "configuration-readable"
        case maxLagShort = "max-lag-short"
        case roleUnset = "role-unset"
        case maxLagUnset = "max-lag-unset"
        /// A failover alias does not accept the start-up parameter that makes sessions read-only.
        case guardByStatement = "guard-by-statement"
        /// Routes send different PROXY headers to an alias.
        case proxyHeadersDiffer = "proxy-headers-differ"
        /// `accept_proxy` without `allow`, where other machines can connect.
        case headersUnfenced = "headers-unfenced"
        /// `serve_stale: false` with one replica that has `max_lag`.
        case staleRefused = "stale-refused"
        /// `tls` below `verify-full` for a server on another machine.
        case serverUnverified = "server-unverified"

        package var level: Level {
            switch self {
            case .severalAddresses, .maxLagShort, .roleUnset, .maxLagUnset, .guardByStatement, .serverUnverified,
                .attestHidden:
                .hint
            default: .problem
            }
        }
    }
}

extension PingFailure.Reason {
    /// The remedy for a failed login or ping.
    ///
    /// - Parameter server: the server whose ping failed; `nil` for a service that is not a database.
    func remedy(for server: DatabaseServer? = nil) -> String {
        let (host, port) = server?.endpoint.hostAndPort ?? ("HOST", "PORT")
        return switch self {
        case .refused: "start the server, or correct host and port"
        case .unresolved, .timeout(.lookup): "getent ahosts \(host)"
        case .unreachable, .timeout(.connecting): "allow packets in both directions: nc -vz \(host) \(port)"
        case .unanswered, .timeout(.question): "check for locks and for statement time limits on the server"
        case .timeout: "check the server and its log: it accepts connections, but does not respond"
        case .authentication: server?.loginRemedy ?? "correct user and password"
        case .tooManyConnections: "raise the server's max_connections, or use fewer sessions"
        case .userLimit: "raise the connection limit of the monitoring user"
        case .hostBlocked: "FLUSH HOSTS, or CREATE USER for this machine's address if there is no such user"
        case .tls:
            "openssl s_client -connect \(host):\(port)\(server?.startTLS ?? ""); correct tls, tls_ca or the certificate"
        case .local: "this machine lacks a resource: correct what the message names"
        default: "check the server's log"
        }
    }
}

extension DatabaseServer {
    fileprivate var loginRemedy: String {
        let name = "check `name`, the database of the login"
        return switch engine {
        case .postgres: "ALTER ROLE \"\(user ?? "")\" LOGIN PASSWORD '…'; check pg_hba.conf; \(name)"
        case .mysql: "ALTER USER '\(user ?? "")'@'HOST' IDENTIFIED BY '…', with the message's HOST; \(name)"
        case .tcp: "correct user and password"
        }
    }

    fileprivate var startTLS: String {
        switch engine {
        case .postgres: " -starttls postgres"
        case .mysql: " -starttls mysql"
        case .tcp: ""
        }
    }
}

extension Endpoint {
    /// The host or the path, and the port.
    var hostAndPort: (host: String, port: String) {
        switch self {
        case .tcp(let host, let port): (host.contains(":") ? "[\(host)]" : host, "\(port)")
        case .unix(let path): (path, "")
        }
    }
}

/// A part that was not examined, and why.
package struct SkippedCheck: Hashable, Sendable {
    package var subject: Finding.Subject
    package var reason: String
}
