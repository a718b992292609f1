import FailoverCore
import Glibc

/// The variables of this process's environment, and who must not see them.
package enum Environment {
    private struct State {
        /// Those that were taken away.
        var taken: [String: String] = [:]
        /// The names of those that hold secrets.
        var secrets: Set<String> = ["PGPASSWORD", "MYSQL_PWD", "REDISCLI_AUTH"]
    }

    private static let state = Lock(State())

    /// The beginnings of the names by which the clients of databases, which log in for pings, change what they do.
    private static let clients = ["PG", "MYSQL_", "MARIADB_", "LIBMYSQL_"]

    /// Takes the variables of databases' clients away, so that a ping does what the configuration says and nothing else. Not
    /// safe beside other threads: called once, at the process's start.
    package static func forgetClients() {
        for (name, value) in all where clients.contains(where: { name.hasPrefix($0) }) {
            state.withLock { $0.taken[name] = value }
            unsetenv(name)
        }
    }

    /// The value of a variable, be it one that was taken away.
    package static func value(of name: String) -> String? {
        state.withLock { $0.taken[name] } ?? getenv(name).map { String(cString: $0) }
    }

    /// A variable holds a secret: no command gets it.
    package static func noteSecret(_ name: String) { state.withLock { _ = $0.secrets.insert(name) } }

    /// What commands that this process starts get.
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
