import FailoverCore
import FoundationEssentials
import Glibc
import SystemPackage

/// The set of errors that request pings, because an outage may have caused them.
public struct ErrorTriggers: Sendable {
    private var matchers: [@Sendable (any Error) -> Bool] = []

    /// Creates an empty set. Add error types with ``adding(_:where:)``.
    public init() {}

    /// The default set: ``PingFailure``, and the connection errors of libpq (``PostgresError``), libmysqlclient
    /// (``MySQLError``) and POSIX (`POSIXError`, System's `Errno`).
    public static let `default` = ErrorTriggers()
        .adding(PingFailure.self)
        .adding(PostgresError.self) { $0.isConnectionError }
        .adding(MySQLError.self) { $0.isConnectionError }
        .adding(POSIXError.self) { connectionErrors.contains($0.code.rawValue) }
        .adding(Errno.self) { connectionErrors.contains($0.rawValue) }

    /// Returns this set with the errors of another type added.
    ///
    /// - Parameter condition: which errors of the type are added; by default all.
    public func adding<Failure: Error>(
        _ type: Failure.Type, where condition: @escaping @Sendable (Failure) -> Bool = { _ in true }
    ) -> ErrorTriggers {
        var triggers = self
        triggers.matchers.append { error in (error as? Failure).map(condition) ?? false }
        return triggers
    }

    /// Whether the set contains an error.
    public func matches(_ error: any Error) -> Bool { matchers.contains { $0(error) } }

    /// The errors of connect(2), recv(2) and send(2) that mean that the peer is not reachable or has gone away.
    private static let connectionErrors: Set<Int32> = [
        ECONNREFUSED, ECONNRESET, ECONNABORTED, EPIPE, ENOTCONN, ETIMEDOUT, EHOSTUNREACH, EHOSTDOWN, ENETUNREACH,
        ENETDOWN, ENETRESET,
    ]
}

/// An error of PostgreSQL, for programs that call libpq themselves.
public struct PostgresError: Error, Hashable, Sendable, CustomStringConvertible {
    /// `PQresultErrorField(result, PG_DIAG_SQLSTATE)`; `nil` if the connection itself failed.
    public let sqlState: String?
    /// `PQerrorMessage` or `PQresultErrorMessage`.
    public let message: String

    public init(sqlState: String?, message: String) {
        self.sqlState = sqlState
        self.message = message
    }

    /// Whether the error is about the connection or the state of the server: no SQLSTATE, classes 08 (connection
    /// exception) and 53 (insufficient resources), 57P01 to 57P03 (shutting down or starting up). PostgreSQL manual,
    /// appendix A.
    public var isConnectionError: Bool {
        guard let sqlState else { return true }
        return ServerError(sqlState: sqlState)?.isOfTheServer ?? false
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

    /// Whether the error is about the connection or the state of the server. Errors of the client: 2002, 2003, 2005,
    /// 2006, 2013, 2055 (no connection, unknown host, gone away, lost). Errors of the server: too many connections,
    /// shutdown, blocked host, limit of a user, killed connection. MySQL manual, "Error message reference".
    public var isConnectionError: Bool {
        [2002, 2003, 2005, 2006, 2013, 2055].contains(code) || ServerError(mySQLCode: Int(code))?.isOfTheServer == true
    }

    public var description: String { "\(message) (error \(code))" }
}
