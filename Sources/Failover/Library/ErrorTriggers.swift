import FailoverCore
import FoundationEssentials
import Glibc
import SystemPackage

/// Which errors are a reason to look whether a service is down.
public struct ErrorTriggers: Sendable {
    private var matchers: [@Sendable (any Error) -> Bool] = []

    /// No error at all, to start from.
    public init() {}

    /// ``PingFailure``; the connection errors of libpq (``PostgresError``), libmysqlclient (``MySQLError``) and POSIX
    /// (`POSIXError`, System's `Errno`).
    public static let `default` = ErrorTriggers()
        .adding(PingFailure.self)
        .adding(PostgresError.self) { $0.isConnectionError }
        .adding(MySQLError.self) { $0.isConnectionError }
        .adding(POSIXError.self) { connectionErrors.contains($0.code.rawValue) }
        .adding(Errno.self) { connectionErrors.contains($0.rawValue) }

    /// These and the errors of another type.
    ///
    /// - Parameter condition: which errors of the type; all of them unless given.
    public func adding<Failure: Error>(
        _ type: Failure.Type, where condition: @escaping @Sendable (Failure) -> Bool = { _ in true }
    ) -> ErrorTriggers {
        var triggers = self
        triggers.matchers.append { error in (error as? Failure).map(condition) ?? false }
        return triggers
    }

    /// Whether an error is one of them.
    public func matches(_ error: any Error) -> Bool { matchers.contains { $0(error) } }

    /// What connect(2), recv(2) and send(2) say of a peer that is not there, or not any more.
    private static let connectionErrors: Set<Int32> = [
        ECONNREFUSED, ECONNRESET, ECONNABORTED, EPIPE, ENOTCONN, ETIMEDOUT, EHOSTUNREACH, EHOSTDOWN, ENETUNREACH,
        ENETDOWN, ENETRESET,
    ]
}
