import FailoverCore

/// The identity of a database server, which a ping can query. It is the same at every address of the server.
enum ServerIdentity {
    /// Queries the start time of the server, to the microsecond. Any user may do so.
    static let postgresQuestion = PostgresQuestion(
        "SELECT extract(epoch FROM pg_postmaster_start_time())", called: "the query for the server's start time")
    /// Queries the host name, the port and the server ID. Servers on one machine have different ports, and replicas
    /// must have different server IDs. Any user may query them.
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
