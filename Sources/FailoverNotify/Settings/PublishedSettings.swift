import FoundationEssentials

/// The `failover_settings` of the services that are down. A value; who changes it writes the file.
package struct PublishedSettings: Hashable, Sendable {
    private let order: [String]
    /// The settings by service, of those that are down.
    package private(set) var services: [String: [String: String]] = [:]

    /// - Parameter order: all services; of two that set the same name, the first counts.
    package init(order: [String]) { self.order = order }

    package mutating func publish(_ settings: [String: String], of service: String) { services[service] = settings }

    package mutating func withdraw(_ service: String) { services[service] = nil }

    /// Name/value pairs over all services that are down.
    package var merged: [String: String] {
        order.compactMap { services[$0] }.reduce(into: [:]) { $0.merge($1) { first, _ in first } }
    }

    /// `{"services": {SERVICE: {NAME: VALUE}}, "settings": {NAME: VALUE}}`, keys sorted, with a newline at the end.
    package var json: String {
        struct File: Encodable {
            let services: [String: [String: String]]
            let settings: [String: String]
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        // Dictionaries of text can always be encoded.
        let data = (try? encoder.encode(File(services: services, settings: merged))) ?? Data("{}".utf8)
        return String(decoding: data, as: UTF8.self) + "\n"
    }
}
