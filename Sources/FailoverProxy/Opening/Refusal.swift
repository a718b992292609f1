import FailoverCore

/// Why a client is not served, in words for whoever reads the application's error.
struct Refusal: Equatable {
    enum Kind {
        /// No alias of the route can serve.
        case nothingUp
        /// As many sessions as `max_connections` allows.
        case limit
        /// The operator wants the route closed while some service is down.
        case closed
        /// What could serve must not be written to, and nothing keeps the session from it.
        case unguarded
    }

    let kind: Kind
    let message: String

    /// The refusal as PostgreSQL's ErrorResponse.
    var postgresMessage: [UInt8] {
        let (sqlState, hint) =
            switch kind {
            case .nothingUp: ("57P03", "The proxy tries again with each new connection.")
            case .limit: ("53300", "The proxy's max_connections is reached.")
            case .unguarded: ("57P03", "The proxy's read_only_opaque is refuse.")
            case .closed: ("57P03", "The proxy opens the route again when the outage is over.")
            }
        return PostgresErrorResponse(sqlState: sqlState, message: message, hint: hint).bytes
    }

    /// The refusal as MySQL's error packet in place of the greeting: 1105 unknown error, 1040 too many connections.
    var mysqlPacket: [UInt8] {
        MySQLErrorPacket(code: kind == .limit ? 1040 : 1105, sqlState: nil, message: message, sequence: 0).bytes
    }
}
