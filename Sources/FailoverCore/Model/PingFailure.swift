/// Why a ping failed: a reason that programs can tell apart, and the words of whoever refused.
public struct PingFailure: Error, Hashable, Sendable, Codable {
    /// What kind of failure this is.
    public let reason: Reason
    /// Who said what: `127.0.0.1:5433: FATAL: the database system is starting up`. Never holds a secret.
    public let detail: String

    public init(_ reason: Reason, _ detail: String) {
        self.reason = reason
        self.detail = detail
    }
}

extension PingFailure {
    /// The kinds of failure of a ping.
    public enum Reason: Hashable, Sendable, Codable {
        /// Nobody listens at the address.
        case refused
        /// The time limit passed during this stage.
        case timeout(Stage)
        /// The host name has no address, or name look-up failed.
        case unresolved
        /// No route to the host or network.
        case unreachable
        /// The peer reset or closed the connection before the ping was done.
        case disconnected
        /// User, password, authentication method or database were not accepted.
        case authentication
        /// PostgreSQL 57P03: starting up or recovering. Redis: loading its data.
        case startingUp
        /// PostgreSQL 57P01/57P02 or the 57P03 of a shutdown, MySQL 1053.
        case shuttingDown
        /// The server has no connection, memory or thread left: PostgreSQL's class 53, MySQL 1040.
        case tooManyConnections
        /// The user of the ping has as many connections as it may: MySQL 1203 and 1226, a role's `CONNECTION LIMIT`. Others
        /// may have room.
        case userLimit
        /// MySQL 1129 (blocked after many errors) and 1130 (host not allowed).
        case hostBlocked
        /// TLS could not be agreed on, or the certificate did not verify.
        case tls
        /// `ping_query` failed.
        case query
        /// The server broke a question off, as for a lock, its own time limit or a conflict with what it replays; or it has
        /// answered `ping_query`, and failed at a question of the monitor's own.
        case unanswered
        /// `heartbeat_query` failed, or its answer is not a number of seconds: the lag is unknown.
        case heartbeat
        /// A database server that answers, but is a primary where a replica is expected, or the other way round.
        case wrongRole
        /// A database replica that does not follow its primary, where that is to count as an outage.
        case replicationStopped
        /// The user of the ping may not ask what the ping has to know.
        case missingPrivilege
        /// The peer does not speak the protocol.
        case protocolViolation
        /// A replica that has lost its primary: Redis with `master_link_status:down`.
        case cutOff
        /// Some servers of a pool are down, the others answer. The names are those of the servers that are down.
        case serversDown([String])
        /// A command ended with another exit status than 0, or by a signal.
        case command
        /// This machine lacks what a ping needs: descriptors, memory, a readable file.
        case local
        /// None: an operator rehearses an outage.
        case drill
        /// A service of the user's own failed in a way of its own.
        case other
    }

    /// How far a ping had come when its time was up.
    public enum Stage: String, Hashable, Sendable, CaseIterable, Codable {
        case lookup = "looking up the name"
        case connecting
        case login = "logging in"
        case query = "running the query"
        /// `ping_query` was answered; what follows it was not.
        case question = "asking for its role and replication"
        /// A command of the operator's own.
        case command = "running the command"
        /// An earlier ping of this service has not returned yet.
        case hung = "an earlier ping still hangs"
        /// A service of the user's own, which tells no stages.
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
    /// What a rehearsed outage is told with.
    static let drill = PingFailure(.drill, "an outage rehearsed by an operator")

    /// Whether other servers of a pool are down than those of an earlier failure.
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
