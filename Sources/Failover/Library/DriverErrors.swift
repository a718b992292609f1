/// An error of PostgreSQL, for programs that call libpq themselves.
public struct PostgresError: Error, Hashable, Sendable, CustomStringConvertible {
    /// `PQresultErrorField(result, PG_DIAG_SQLSTATE)`; `nil` when the connection itself failed.
    public let sqlState: String?
    /// `PQerrorMessage` or `PQresultErrorMessage`.
    public let message: String

    public init(sqlState: String?, message: String) {
        self.sqlState = sqlState
        self.message = message
    }

    /// Whether it is about the connection or the state of the server: without SQLSTATE, class 08 (connection
    /// exception), 57P01 to 57P03 (shutting or starting up), 53300 (too many connections). PostgreSQL manual, appendix A.
    public var isConnectionError: Bool {
        guard let sqlState else { return true }
        return sqlState.hasPrefix("08") || ["57P01", "57P02", "57P03", "53300"].contains(sqlState)
    }

    public var description: String { sqlState.map { "\(message) (SQLSTATE \($0))" } ?? message }
}

/// An error of MySQL or MariaDB, for programs that call their client library themselves.
public struct MySQLError: Error, Hashable, Sendable, CustomStringConvertible {
    /// `mysql_errno`.
    public let code: UInt32
    /// `mysql_error`.
    public let message: String

    public init(code: UInt32, message: String) {
        self.code = code
        self.message = message
    }

    /// Whether it is about the connection or the state of the server: 2002, 2003, 2005, 2006, 2013, 2055 of the client
    /// (no connection, unknown host, gone away, lost), 1040, 1053, 1129, 1203 of the server (too many connections,
    /// shutdown, host blocked, user limit). MySQL manual, "Error message reference".
    public var isConnectionError: Bool {
        [2002, 2003, 2005, 2006, 2013, 2055, 1040, 1053, 1129, 1203].contains(code)
    }

    public var description: String { "\(message) (error \(code))" }
}
