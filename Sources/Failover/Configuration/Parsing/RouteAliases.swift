import FailoverCore

/// Reads the aliases of a route: those of `db_alias`, then those of `failover_db_alias`.
struct RouteAliases {
    let databases: ParsedDatabases
    let log: ProblemLog
    /// The aliases in the order they are tried.
    private(set) var aliases: [String] = []
    /// So many of the first are those of `db_alias`.
    private(set) var ownCount = 0
    /// Whether each alias that was named is defined.
    private(set) var allDefined = true

    init(databases: ParsedDatabases, log: ProblemLog) {
        self.databases = databases
        self.log = log
    }

    mutating func read(_ section: Section) {
        let hasDefault = readOwn(section)
        ownCount = aliases.count
        if let value = section["failover_db_alias"] {
            for element in value.elements() ?? [] { add(element) }
        } else if !hasDefault {
            // A route of whose own aliases `default` is one has nowhere to go by default.
            addDefault("default", of: "failover_db_alias", section, hint: "; [] is for none")
        }
    }

    /// The aliases of `db_alias` that are defined.
    var own: ArraySlice<String> { aliases.prefix(ownCount) }

    /// - Returns: whether `default` is among those that are named.
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
            append(name, at: section.place)
        } else {
            allDefined = false
            section.report("`\(key)` is missing and its default, `\(name)`, is no database alias\(hint); \(defined)")
        }
    }

    @discardableResult
    private mutating func add(_ value: Value) -> String? {
        guard let name = value.text() else {
            allDefined = false
            return nil
        }
        if databases.names.contains(name) {
            append(name, at: value.place)
        } else {
            allDefined = false
            value.report("no such database alias: \(name.quotedForMessage); \(defined)")
        }
        return name
    }

    private mutating func append(_ name: String, at place: Place) {
        if aliases.contains(name) {
            log.report("`\(name)` is already an alias of this route", at: place)
            return
        }
        let engines = databases.engines
        let first = aliases.first { engines[$0] != nil }
        if let engine = engines[name], let first, let expected = engines[first], engine != expected {
            let message = "`\(name)` is of engine \(engine.rawValue), but `\(first)` is of engine \(expected.rawValue)"
            log.report("\(message); a route has one engine", at: place)
        }
        aliases.append(name)
    }

    /// The engine of the aliases, as far as it is known.
    var engine: DatabaseServer.Engine? { aliases.lazy.compactMap { databases.engines[$0] }.first }

    private var defined: String {
        let names = databases.names.filter(ConfigurationParser.isName)
        return names.isEmpty ? "none is defined" : "defined are: \(names.joined(separator: ", "))"
    }
}
