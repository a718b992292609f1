/// What 0.1.0 (commit c4050e1) reads in a takeover: its own declarations, with compiler-generated `Codable`.
struct StateOf010: Codable, Sendable {
    struct Listener: Codable, Sendable {
        let route: String
        let hasChosenPort: Bool
    }

    struct Pin: Codable, Sendable {
        let route: String
        let alias: String
        let until: Double?
    }

    struct Outage: Codable, Sendable {
        let service: String
        let since: Double
        let failure: Failure
    }

    struct Failure: Codable, Sendable {
        let reason: Reason
        let detail: String
    }

    enum Reason: Codable, Sendable {
        case refused
        case timeout(Stage)
        case unresolved, unreachable, disconnected, authentication, startingUp, shuttingDown, tooManyConnections
        case hostBlocked, tls, query, wrongRole, replicationStopped, missingPrivilege, protocolViolation, cutOff
        case serversDown([String])
        case command, local, drill, other
    }

    enum Stage: String, Codable, Sendable {
        case lookup = "looking up the name"
        case connecting
        case login = "logging in"
        case query = "running the query"
        case command = "running the command"
        case hung = "an earlier ping still hangs"
        case ping = "pinging"
    }

    let listeners: [Listener]
    let pins: [Pin]
    let drained: [String]
    let outages: [Outage]
}
