import FailoverCore
import FailoverTesting

@testable import FailoverChecks

extension FuzzTarget {
    /// The messages of a PostgreSQL server during a login: how it requests the password.
    static let postgresLogin = FuzzTarget("postgres-login") { input in
        let pieces = input.pieces()
        var (watch, worst, unread) = (PostgresPasswordWatch(), DatabaseServer.PasswordMethod?.none, [UInt8]())
        for piece in pieces where !watch.isOver {
            unread += piece
            switch watch.read(unread) {
            case .whole(let asks):
                worst = worse(worst, asks)
                unread = []
            case .incomplete(let needed):
                if needed <= unread.count || needed > unread.count + 9 {
                    return "\(needed) of \(unread.count) are needed"
                }
            }
        }
        guard unread.isEmpty else { return nil }
        var atOnce = PostgresPasswordWatch()
        guard case .whole(let asks) = atOnce.read(pieces.flatMap(\.self)) else { return "in pieces it was whole" }
        return asks == worst ? nil : "\(asks.debugDescription), in pieces \(worst.debugDescription)"
    }

    private static func worse(
        _ one: DatabaseServer.PasswordMethod?, _ other: DatabaseServer.PasswordMethod?
    ) -> DatabaseServer.PasswordMethod? {
        for method in [DatabaseServer.PasswordMethod.cleartext, .md5, .scram] where one == method || other == method {
            return method
        }
        return nil
    }
}
