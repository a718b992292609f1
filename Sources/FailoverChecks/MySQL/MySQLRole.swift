import FailoverCore

/// What a MySQL or MariaDB server says of its role.
///
/// Neither server has a role of its own: `read_only` refuses writes to users without privileges of an administrator, and
/// a server replicates as long as it has a source configured (MySQL manual, "SHOW REPLICA STATUS"; MariaDB's "SHOW ALL
/// SLAVES STATUS"). So a ping calls
/// * a replica what is `read_only`, or replicates, its threads running or not. Only what is neither was promoted: that is
///   what STOP REPLICA, RESET REPLICA ALL and `read_only = 0` leave behind. Some replicas are writable on purpose.
/// * a primary what is not `read_only`, whether it replicates or not: primaries may follow each other.
///
/// Everybody may read `read_only`. For the other question a user needs a privilege, so it comes only when needed.
struct MySQLRole {
    static let question = """
        SELECT @@global.read_only AS read_only, @@version AS version, CURRENT_USER() AS account
        """

    let isReadOnly: Bool
    let version: MySQLVersion
    private let account: String

    /// - Parameter rows: the answer to ``question``; `nil` if it is none.
    init?(_ rows: [[String: String]]) {
        guard let row = rows.first, let readOnly = row["read_only"] else { return nil }
        // Newer servers may have more words for it than ON.
        isReadOnly = readOnly != "0" && readOnly != "OFF"
        version = MySQLVersion(row["version"] ?? "")
        account = row["account"] ?? ""
    }

    /// What lets the user ask whether the server replicates: `GRANT REPLICATION CLIENT ON *.* TO 'monitor'@'%'`.
    var grant: String {
        let at = account.lastIndex(of: "@") ?? account.endIndex
        let parts = [account[..<at], account[at...].dropFirst()].map { "'\($0)'" }
        return "GRANT \(version.channelPrivilege) ON *.* TO \(parts.joined(separator: "@"))"
    }
}

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
