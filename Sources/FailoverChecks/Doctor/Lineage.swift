/// Whose data a server has, and whether it takes writes.
package struct Lineage: Hashable, Sendable {
    /// A server that another follows.
    package struct Source: Hashable, Sendable {
        /// As the follower is told: a name, an address, or the folder of a socket.
        package var host: String
        package var port: Int
        /// Its `server_id`; `nil` while the follower has not met it, and with PostgreSQL.
        package var serverID: String?

        package init(host: String, port: Int, serverID: String? = nil) {
            self.host = host
            self.port = port
            self.serverID = serverID
        }
    }

    /// PostgreSQL: in recovery. MySQL and MariaDB: has a source, or is read-only and hides whether it has.
    package var isReplica: Bool
    /// Whether clients' writes are refused.
    package var isReadOnly: Bool
    /// PostgreSQL's system identifier, which a primary and its replicas have in common; `nil` if hidden.
    package var cluster: String?
    /// PostgreSQL's timeline, of which each promotion begins a new one; `nil` if hidden.
    package var timeline: Int?
    /// The `server_id` of MySQL and MariaDB.
    package var serverID: String?
    /// Whom it follows; `nil` if the user may not see that.
    package var sources: [Source]?
    /// Why a replica does not follow at the moment; `nil` if it does, or hides it.
    package var stopped: String?

    package init(isReplica: Bool, isReadOnly: Bool) {
        self.isReplica = isReplica
        self.isReadOnly = isReadOnly
    }
}
