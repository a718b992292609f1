/// Why a ping failed: a reason that programs can compare, and the message of the server or system that reported it.
public struct PingFailure: Error, Hashable, Sendable {
    /// What kind of failure this is.
    public let reason: Reason
    /// The peer and its message, such as `127.0.0.1:5433: FATAL: the database system is starting up`. It never contains
    /// a secret.
    public let detail: String

    public init(_ reason: Reason, _ detail: String) {
        self.reason = reason
        self.detail = detail
    }
}

extension PingFailure {
    /// The kinds of failure of a ping.
    public enum Reason: Hashable, Sendable {
        /// No server listens at the address.
        case refused
        /// The time limit passed during this stage.
        case timeout(Stage)
        /// The host name has no address, or the name look-up failed.
        case unresolved
        /// No route to the host or network.
        case unreachable
        /// The peer reset or closed the connection before the ping was done.
        case disconnected
        /// The server did not accept the user, the password, the authentication method or the database.
        case authentication
        /// The server starts up: PostgreSQL 57P03, or Redis while it loads its data.
        case startingUp
        /// The server shuts down: PostgreSQL 57P01, 57P02, or 57P03 during a shutdown; MySQL 1053; AMQP 320.
        case shuttingDown
        /// The server has no connection, memory or thread left: PostgreSQL's class 53, MySQL 1040.
        case tooManyConnections
        /// The user of the ping has reached its connection limit: MySQL 1203 and 1226, a role's `CONNECTION LIMIT`.
        /// Other users may still connect.
        case userLimit
        /// The server refuses this machine: MySQL 1129 (blocked after many errors) and 1130 (host not allowed), Redis
        /// in protected mode.
        case hostBlocked
        /// The TLS handshake failed, or the certificate did not verify.
        case tls
        /// The query of the ping failed: `ping_query`, or the request to a server that is not a database.
        case query
        /// The server cancelled a query, for example because of a lock, its own time limit or a recovery conflict; or
        /// it answered `ping_query` and then failed at a query of the monitor.
        case unanswered
        /// The lag is unknown: `heartbeat_query` failed, or its answer is not a number of seconds.
        case heartbeat
        /// The database server answers, but it is a primary and a replica is expected, or the reverse.
        case wrongRole
        /// The database replica does not follow its primary, and the configuration counts this as an outage.
        case replicationStopped
        /// The user of the ping lacks a privilege that the ping needs.
        case missingPrivilege
        /// The peer does not speak the protocol.
        case protocolViolation
        /// The Redis replica has lost its primary (`master_link_status:down`), or the Redis cluster is down.
        case cutOff
        /// Servers of a pool are down. The associated value has their names.
        case serversDown([String])
        /// The command ended with an exit status other than 0, or by a signal.
        case command
        /// This machine lacks something that the ping needs: a descriptor, memory, a readable file.
        case local
        /// The service has not failed: an operator has started an outage drill.
        case drill
        /// The ping threw an error that is not a ``PingFailure``, or failed for a reason without a case.
        case other
    }

    /// The stage that a ping has reached, for the message of a timeout.
    public enum Stage: String, Hashable, Sendable, CaseIterable {
        case lookup = "looking up the name"
        case connecting
        case login = "logging in"
        case query = "running the query"
        /// `ping_query` was answered. A query after it, for the role or the replication, was not.
        case question = "querying role and replication"
        /// Running a command that the operator configured.
        case command = "running the command"
        /// An earlier ping of this service has not returned yet.
        case hung = "an earlier ping still hangs"
        /// Pinging a service that a program implements. It reports no stages.
        case ping = "pinging"
    }
}

extension PingFailure.Reason: CustomStringConvertible {
    public var description: String {
        switch self {
        case .refused: "refused"
        case .timeout(let stage): "timeout (\(stage.rawValue))"
        case .unresolved: "unresolved"
        case .unreachable: "unreachable"
        case .disconnected: "disconnected"
        case .authentication: "authentication"
        case .startingUp: "starting up"
        case .shuttingDown: "shutting down"
        case .tooManyConnections: "too many connections"
        case .userLimit: "user limit"
        case .hostBlocked: "host blocked"
        case .tls: "tls"
        case .query: "query"
        case .unanswered: "unanswered"
        case .heartbeat: "heartbeat"
        case .wrongRole: "wrong role"
        case .replicationStopped: "replication stopped"
        case .missingPrivilege: "missing privilege"
        case .protocolViolation: "protocol"
        case .cutOff: "cut off"
        case .serversDown: "servers down"
        case .command: "command"
        case .local: "local"
        case .drill: "drill"
        case .other: "other"
        }
    }
}

extension PingFailure {
    /// The failure that a drill reports.
    static let drill = PingFailure(.drill, "an outage drill started by an operator")

    /// Whether the servers of a pool that are down differ from those of an earlier failure.
    func isOfOtherServers(than earlier: PingFailure) -> Bool {
        guard case .serversDown(let names) = reason, case .serversDown(let earlierNames) = earlier.reason else {
            return false
        }
        return Set(names) != Set(earlierNames)
    }
}

extension PingFailure: CustomStringConvertible {
    public var description: String { "\(reason): \(detail)" }
}

extension PingFailure {
    /// What a failed ping says about its service.
    public enum Kind: Hashable, Sendable {
        /// No server serves at the address: the peer refuses, is silent, starts up, shuts down, has the wrong role,
        /// or violates the protocol.
        case dead
        /// The server is alive and refuses the monitor: it is full, does not accept the login, or does not answer a
        /// query.
        case refusal
        /// This machine could not ping: it lacks a descriptor, memory, a source port, a file, or an answer of the
        /// resolver. The failure shows nothing about the service.
        case local
    }

    /// What this failure says about its service.
    public var kind: Kind { reason.kind }
}

extension PingFailure.Reason {
    /// Whether the failure is about the role or the replication of the server. Only a successful ping can show that
    /// these are right again.
    package var isOfRole: Bool { self == .wrongRole || self == .replicationStopped }

    /// What a failure for this reason says about the service.
    public var kind: PingFailure.Kind {
        switch self {
        case .refused, .unreachable, .disconnected, .startingUp, .shuttingDown, .query, .wrongRole, .replicationStopped,
            .protocolViolation, .cutOff, .serversDown, .command, .drill, .other:
            .dead
        case .timeout(.lookup): .local
        case .timeout(.question): .refusal
        case .timeout: .dead
        case .authentication, .tooManyConnections, .userLimit, .hostBlocked, .tls, .unanswered, .heartbeat,
            .missingPrivilege:
            .refusal
        case .unresolved, .local: .local
        }
    }
}
