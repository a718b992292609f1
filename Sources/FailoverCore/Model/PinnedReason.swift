/// Why a session cannot go on with another server.
package enum PinnedReason: String, Hashable, Sendable, CaseIterable, Decodable {
    /// It has prepared statements.
    case preparedStatements = "prepared_statements"
    /// It has cursors that outlive their transaction.
    case cursors
    /// It listens for notifications.
    case listens
    case advisoryLocks = "advisory_locks"
    case temporaryTables = "temporary_tables"
    /// `SET ROLE` or `SET SESSION AUTHORIZATION`.
    case role
    /// Something that may have changed the session went by, and its server was not asked since, or does not tell.
    case unknown
    /// The server has asked for a login that the proxy cannot answer.
    case login
    /// The proxy cannot read the session, because it is encrypted.
    case unreadable
}
