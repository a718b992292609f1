/// Something that a ping asks a PostgreSQL server.
struct PostgresQuestion {
    let query: String
    /// What it is, for a message: `the ping query`.
    let name: String
    /// Stands before the server's words where it is not plain what they are about: `heartbeat_query: `.
    let prefix: String
    /// What lets a user ask who may not; empty when there is no telling.
    private let grants: [PostgresGrant]

    /// - Parameter grants: that of all else last.
    init(_ query: String, called name: String, prefix: String = "", grants: [PostgresGrant] = []) {
        self.query = query
        self.name = name
        self.prefix = prefix
        self.grants = grants
    }

    /// The statement that helps a user who was refused in these words, which name what was refused in any language.
    func grant(helpingAgainst words: String) -> String? {
        (grants.first { $0.subject.map(words.contains) ?? true })?.statement
    }
}

/// A statement that lets a user ask for something.
struct PostgresGrant {
    /// What errors name; `nil` is anything.
    let subject: String?
    let statement: String

    /// - Parameter function: with its arguments' types, in `pg_catalog`.
    static func executing(_ function: String, by user: String) -> PostgresGrant {
        PostgresGrant(
            subject: function.split(separator: "(").first.map(String.init),
            statement: "GRANT EXECUTE ON FUNCTION pg_catalog.\(function) TO \(user.asPostgresName)")
    }

    /// For a statement of the operator's own, whose errors name what it reads.
    static func reading(by user: String) -> PostgresGrant {
        PostgresGrant(subject: nil, statement: "GRANT SELECT ON what it reads TO \(user.asPostgresName)")
    }

    /// Membership in one of the server's own roles.
    static func membership(in role: String, for user: String) -> PostgresGrant {
        PostgresGrant(subject: nil, statement: "GRANT \(role) TO \(user.asPostgresName)")
    }
}

extension String {
    /// The name of a role as it stands in a statement.
    var asPostgresName: String {
        "\"\(split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\""))\""
    }
}
