/// Something that a ping asks a PostgreSQL server.
struct PostgresQuestion {
    let query: String
    /// What it is, for a message: `the ping query`.
    let name: String
    /// The statement that helps a user who may not ask; `nil` when there is no telling.
    let grant: String?

    init(_ query: String, called name: String, grant: String? = nil) {
        self.query = query
        self.name = name
        self.grant = grant
    }
}
