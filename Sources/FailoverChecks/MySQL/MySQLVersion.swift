/// The version of a MySQL or MariaDB server, and what differs between them.
struct MySQLVersion {
    let isMariaDB: Bool
    private let numbers: [Int]

    /// - Parameter text: as in `@@version`: `8.0.36`, `10.11.6-MariaDB-0+deb12u1-log`.
    init(_ text: String) {
        isMariaDB = text.contains("MariaDB")
        numbers = text.prefix { $0.isNumber || $0 == "." }.split(separator: ".").map { Int($0) ?? 0 }
    }

    /// The question for the sources that the server follows: a row each, none for a server that follows nobody.
    ///
    /// MariaDB lists them all only for this word; MySQL 8.4 has no `SLAVE` any more, 8.0.21 and earlier no `REPLICA` yet.
    var channelQuestion: String {
        if isMariaDB { return "SHOW ALL SLAVES STATUS" }
        return isAtLeast(8, 0, 22) ? "SHOW REPLICA STATUS" : "SHOW SLAVE STATUS"
    }

    /// The privilege that ``channelQuestion`` takes.
    var channelPrivilege: String { isMariaDB && isAtLeast(10, 5) ? "REPLICA MONITOR" : "REPLICATION CLIENT" }

    /// Within which versions behave alike: `8.0`, `10.11`.
    var series: String { numbers.prefix(2).map(String.init).joined(separator: ".") }

    /// Forgets the errors of clients' addresses. MySQL has another word for it since 8.0.23, and 8.4 no `FLUSH HOSTS`.
    var forgetHosts: String {
        !isMariaDB && isAtLeast(8, 0, 23) ? "TRUNCATE TABLE performance_schema.host_cache" : "FLUSH HOSTS"
    }

    private func isAtLeast(_ least: Int...) -> Bool { !numbers.lexicographicallyPrecedes(least) }
}
