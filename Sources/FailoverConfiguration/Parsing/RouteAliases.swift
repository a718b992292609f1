import FailoverCore

/// Reads the aliases of a route: those of `db_alias`, then those of `failover_db_alias`.
struct RouteAliases {
    let databases: ParsedDatabases
    let file: SourceFile
    /// The aliases in the order in which sessions try them.
    private(set) var aliases: [String] = []
    /// How many of the first ``aliases`` are those of `db_alias`.
    private(set) var preferredCount = 0
    /// Whether the file defines each alias that the service names.
    private(set) var allDefined = true

    init(databases: ParsedDatabases, file: SourceFile) {
        self.databases = databases
        self.file = file
    }

    mutating func read(_ section: Section) {
        let hasDefault = readOwn(section)
        preferredCount = aliases.count
        if let value = section["failover_db_alias"] {
            for element in value.elements() ?? [] { add(element) }
        } else if !hasDefault {
            // If `default` is one of the aliases in `db_alias`, the route has no failover alias by default.
            addDefault("default", of: "failover_db_alias", section, hint: "; [] means none")
        }
    }

    /// - Returns: whether `default` is among the named aliases.
    private mutating func readOwn(_ section: Section) -> Bool {
        guard let value = section["db_alias"] else {
            addDefault("slave", of: "db_alias", section, hint: "")
            return false
        }
        guard let elements = value.elements() else {
            allDefined = false
            return false
        }
        if elements.isEmpty { value.report("a route needs at least one alias of its own") }
        return elements.map { add($0) }.contains("default")
    }

    private mutating func addDefault(_ name: String, of key: String, _ section: Section, hint: String) {
        if databases.names.contains(name) {
            append(name, at: section.location)
        } else {
            allDefined = false
            section.report("`\(key)` is missing and its default, `\(name)`, is not a database alias\(hint); \(defined)")
        }
    }

    @discardableResult
    private mutating func add(_ value: Value) -> String? {
        guard let name = value.text() else {
            allDefined = false
            return nil
        }
        if databases.names.contains(name) {
            append(name, at: value.location)
        } else {
            allDefined = false
            value.report("no such database alias: \(name.quotedForMessage); \(defined)")
        }
        return name
    }

    private mutating func append(_ name: String, at location: SourceLocation) {
        if aliases.contains(name) {
            file.report("`\(name)` is already an alias of this route", at: location)
            return
        }
        let engines = databases.engines
        let first = aliases.first { engines[$0] != nil }
        if let engine = engines[name], let first, let expected = engines[first], engine != expected {
            let message = "`\(name)` is of engine \(engine.rawValue), but `\(first)` is of engine \(expected.rawValue)"
            file.report("\(message); a route has one engine", at: location)
        }
        aliases.append(name)
    }

    /// The engine of the aliases; `nil` if it is not known.
    var engine: DatabaseServer.Engine? { aliases.lazy.compactMap { databases.engines[$0] }.first }

    private var defined: String {
        let names = databases.names.filter(ConfigurationParser.isName)
        return names.isEmpty ? "no alias is defined" : "defined aliases: \(names.joined(separator: ", "))"
    }
}
