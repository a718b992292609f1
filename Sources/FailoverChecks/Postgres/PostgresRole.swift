import FailoverCore

/// What a PostgreSQL server says of its role: a replica is in recovery, until the moment of its promotion.
///
/// PostgreSQL manual, "Recovery Control Functions". Everybody may ask, unless an administrator has revoked that.
enum PostgresRole {
    /// With the schema: a `search_path` must not put another function in its place.
    static func question(user: String) -> PostgresQuestion {
        PostgresQuestion(
            "SELECT pg_catalog.pg_is_in_recovery()", called: "the question for the role",
            grants: [.executing("pg_is_in_recovery()", by: user)])
    }

    /// The role in the answer; `nil` if it is none.
    static func answer(in rows: [[String?]]) -> DatabaseServer.Role? {
        guard rows.count == 1, rows[0].count == 1 else { return nil }
        return switch rows[0][0] {
        case "t": .replica
        case "f": .primary
        default: nil
        }
    }
}
