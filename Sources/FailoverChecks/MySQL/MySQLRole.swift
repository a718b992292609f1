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
