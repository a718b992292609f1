/// Something that `failover doctor` has found, why it matters, and what mends it.
package struct Finding: Hashable, Sendable {
    /// What a finding is about.
    package enum Subject: Hashable, Sendable {
        case alias(String)
        case route(String)
        case service(String)
        /// The path of a file.
        case file(String)
    }

    /// How much a finding weighs.
    package enum Level: String, Hashable, Sendable {
        /// It will bite.
        case problem
        /// The configuration could say more, or something is only unusual.
        case hint
    }

    package var kind: Kind
    package var subject: Subject
    /// In a sentence, or more; holds no secret.
    package var reason: String
    /// A statement, a command, a line of the configuration; what comes closest where no such thing helps.
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
    /// What was found. The raw values are words for programs, and stay.
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        /// No connection, no TLS or no login.
        case noLogin = "no-login"
        /// `ping_query` fails after a login.
        case pingQuery = "ping-query"
        /// The user may not see how far a replica is behind.
        case lagHidden = "lag-hidden"
        case maxConnectErrors = "max-connect-errors"
        /// The server counts errors against this machine's address.
        case hostCacheErrors = "host-cache-errors"
        /// What a route uses as a replica follows nobody.
        case notAReplica = "not-a-replica"
        /// It follows another server than the route's primary.
        case followsAnother = "follows-another"
        /// PostgreSQL: of the same cluster, on another timeline.
        case otherTimeline = "other-timeline"
        case replicationStopped = "replication-stopped"
        case primaryReadOnly = "primary-read-only"
        /// Two aliases of a route are one server.
        case sameServer = "same-server"
        case versionsDiffer = "versions-differ"
        case timeZonesDiffer = "time-zones-differ"
        case clocksDiffer = "clocks-differ"
        /// The server takes fewer sessions than the proxy may send.
        case serverLimit = "server-limit"
        /// The primary could not take the replicas' sessions too.
        case primaryTooSmall = "primary-too-small"
        case certificateEnds = "certificate-ends"
        case authorityEnds = "authority-ends"
        case nameUnresolved = "name-unresolved"
        /// The addresses of a name differ from one look-up to the next.
        case nameChanges = "name-changes"
        /// One of several addresses does not answer as it should.
        case addressDown = "address-down"
        /// One of the servers that an alias may be does not answer as it should.
        case candidateDown = "candidate-down"
        /// Several of those that a primary may be take writes.
        case severalPrimaries = "several-primaries"
        case severalServers = "several-servers"
        case severalAddresses = "several-addresses"
        case secretReadable = "secret-readable"
        case configurationReadable = "configuration-readable"
        case maxLagShort = "max-lag-short"
        case roleUnset = "role-unset"
        case maxLagUnset = "max-lag-unset"
        /// A failover alias takes no parameter by which sessions are kept from writing.
        case guardByStatement = "guard-by-statement"
        /// Routes disagree about the PROXY header that an alias is sent.
        case proxyHeadersDiffer = "proxy-headers-differ"
        /// `accept_proxy` without `allow`, where other machines can connect.
        case headersUnfenced = "headers-unfenced"
        /// `serve_stale: false` with one replica that has `max_lag`.
        case staleRefused = "stale-refused"
        /// `tls` below `verify-full` on the way to another machine.
        case serverUnverified = "server-unverified"

        package var level: Level {
            switch self {
            case .severalAddresses, .maxLagShort, .roleUnset, .maxLagUnset, .guardByStatement, .serverUnverified: .hint
            default: .problem
            }
        }
    }
}
