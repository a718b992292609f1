import FailoverCore
import Glibc

/// The environment variables of this process, and which of them are hidden from commands.
package enum Environment {
    private struct State {
        /// Variables that ``forgetClients()`` has removed.
        var taken: [String: String] = [:]
        /// Names of variables that hold secrets.
        var secrets: Set<String> = ["PGPASSWORD", "MYSQL_PWD", "REDISCLI_AUTH"]
    }

    private static let state = Lock(State())

    /// Prefixes of the variables that change the behaviour of database client libraries. The drivers of pings use
    /// these libraries.
    private static let clients = ["PG", "MYSQL_", "MARIADB_", "LIBMYSQL_"]

    /// Removes the variables of database clients, so that a ping depends only on the configuration. This is not
    /// thread-safe: call it once, at the start of the process.
    package static func forgetClients() {
        for (name, value) in all where clients.contains(where: { name.hasPrefix($0) }) {
            state.withLock { $0.taken[name] = value }
            unsetenv(name)
        }
    }

    /// The value of a variable, including a removed one.
    package static func value(of name: String) -> String? {
        state.withLock { $0.taken[name] } ?? getenv(name).map { String(cString: $0) }
    }

    /// Marks a variable as a secret. Commands do not get it.
    package static func noteSecret(_ name: String) { state.withLock { _ = $0.secrets.insert(name) } }

    /// The variables for commands that this process starts.
    static var forChildren: [(name: String, value: String)] {
        let secrets = state.withLock { $0.secrets }
        return all.filter { !secrets.contains($0.name) }
    }

    private static var all: [(name: String, value: String)] {
        var variables: [(String, String)] = []
        var next = environ
        while let text = next.pointee {
            let parts = String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2, !parts[0].isEmpty { variables.append((String(parts[0]), String(parts[1]))) }
            next = next.successor()
        }
        return variables
    }
}
