import FailoverCore

/// What tells a database server from others, asked in the connection of a ping; the same whichever way leads to it.
enum ServerIdentity {
    /// When the server was started, to the microsecond. Everybody may ask.
    static let postgresQuestion = PostgresQuestion(
        "SELECT extract(epoch FROM pg_postmaster_start_time())", called: "the question for the server's start")
    /// Servers of one machine differ in their port, replicas must differ in their number. Everybody may ask.
    static let mysqlQuestion = "SELECT @@hostname AS hostname, @@port AS port, @@server_id AS server_id"

    static func text(postgres rows: [[String?]]) -> String? { rows.first?.first.flatMap(\.self) }

    static func text(mysql rows: [[String: String]]) -> String? {
        rows.first.map { row in ["hostname", "port", "server_id"].map { row[$0] ?? "" }.joined(separator: " ") }
    }
}

extension DatabaseServer.Role {
    /// What is wrong with a server that is not of this role.
    var contradiction: String {
        switch self {
        case .replica: "is a primary, not a replica: it was promoted"
        case .primary: "is a replica, not a primary"
        }
    }
}
