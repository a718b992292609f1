import FailoverTesting

@testable import FailoverProxy

extension FuzzTarget {
    static let ofProxy = [
        mysql, mysqlGuard, postgres, handshakes, postgresFirst, mysqlFirst, mysqlRefusedLogin, proxyHeader, firstFlight,
        mysqlLogin, mysqlTermination, postgresGuard,
    ]

    static let mysql = reader("mysql", MySQLReader.self)
    static let mysqlGuard = reader("mysql-guard", GuardedPlayer.self)
    static let postgres = reader("postgres", PostgresReader.self)

    private static func reader<Reader: SessionReader>(_ name: String, _: Reader.Type) -> FuzzTarget {
        FuzzTarget(name) { input in
            input.remaining().withUnsafeBytes { Reader.violation(in: SessionScript(records: $0)) }
        }
    }
}
