import FailoverCore

/// What tells a database server from others, asked in the connection of a ping; the same whichever way leads to it.
package final class ServerIdentity: Sendable {
    /// When the server was started, to the microsecond. Everybody may ask.
    static let postgresQuestion = PostgresQuestion(
        "SELECT extract(epoch FROM pg_postmaster_start_time())", called: "the question for the server's start")
    /// Servers of one machine differ in their port, replicas must differ in their number. Everybody may ask.
    static let mysqlQuestion = "SELECT @@hostname AS hostname, @@port AS port, @@server_id AS server_id"

    private let latest = Lock<String?>(nil)

    package init() {}

    /// As the latest ping that came so far was told; `nil` while none has been.
    package var text: String? { latest.withLock { $0 } }

    func observe(postgres rows: [[String?]]) { note(rows.first?.first.flatMap(\.self)) }

    func observe(mysql rows: [[String: String]]) {
        note(rows.first.map { row in ["hostname", "port", "server_id"].map { row[$0] ?? "" }.joined(separator: " ") })
    }

    private func note(_ text: String?) { latest.withLock { $0 = text } }
}
