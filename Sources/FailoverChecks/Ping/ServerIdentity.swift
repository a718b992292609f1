import FailoverCore

/// The identity of a database server, queried during a ping. It is the same on every network path to the server.
enum ServerIdentity {
    /// The start time of the server, to the microsecond. Any user may query it.
    static let postgresQuestion = PostgresQuestion(
        "SELECT extract(epoch FROM pg_postmaster_start_time())", called: "the query for the server's start time")
    /// Servers on one machine have different ports, and replicas must have different server IDs. Any user may query
    /// them.
    static let mysqlQuestion = "SELECT @@hostname AS hostname, @@port AS port, @@server_id AS server_id"

    static func text(postgres rows: [[String?]]) -> String? { rows.first?.first.flatMap(\.self) }

    static func text(mysql rows: [[String: String]]) -> String? {
        rows.first.map { row in ["hostname", "port", "server_id"].map { row[$0] ?? "" }.joined(separator: " ") }
    }
}

extension DatabaseServer.Role {
    /// The failure message for a server that does not have this role.
    var contradiction: String {
        switch self {
        case .replica: "is a primary, not a replica: it was promoted"
        case .primary: "is a replica, not a primary"
        }
    }
}
