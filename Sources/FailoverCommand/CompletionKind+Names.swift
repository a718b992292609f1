import ArgumentParser
import Failover

extension CompletionKind {
    /// The names of the routes.
    static let routes = names { configuration in
        configuration.services.compactMap { service in
            if case .database = service.kind { service.name } else { nil }
        }
    }

    /// The names of the database aliases.
    static let aliases = names { $0.databases.map(\.name) }

    /// Names of the configuration that `--config` of the same command line names; none while it names none that is valid.
    static func names(_ names: @escaping @Sendable (Configuration) -> [String]) -> CompletionKind {
        .custom { line, _, _ in
            // `--config=FILE` is one word of the line.
            let words = line.flatMap { $0.split(separator: "=", maxSplits: 1).map(String.init) }
            guard let option = words.firstIndex(where: { ["--config", "-c"].contains($0) }),
                words.indices.contains(option + 1),
                let configuration = try? Configuration.load(path: words[option + 1])
            else { return [] }
            return names(configuration)
        }
    }
}
