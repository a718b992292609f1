import FailoverCore
import FailoverNotify

/// Holds the settings of services that are down, and keeps the settings file true.
final class SettingsPublisher: Sendable {
    private let state: Lock<PublishedSettings>
    private let file: SettingsFile?

    /// Writes the file for the first time: nothing is known to be down.
    ///
    /// - Parameter services: all services, in the order of the configuration.
    /// - Throws: when the file cannot be written.
    init(services: [String], path: String?) throws {
        let settings = PublishedSettings(order: services)
        state = Lock(settings)
        file = path.map { SettingsFile(path: $0) }
        try file?.replace(with: settings.json)
    }

    /// Name/value pairs over all services that are down.
    var merged: [String: String] { state.withLock { $0.merged } }

    func publish(_ settings: [String: String], of service: String) throws {
        try change { $0.publish(settings, of: service) }
    }

    func withdraw(_ service: String) throws {
        try change { $0.withdraw(service) }
    }

    /// Under the lock, so that files replace each other in the order of the changes.
    private func change(_ body: (inout PublishedSettings) -> Void) throws {
        try state.withLock { state in
            let before = state
            body(&state)
            if state != before { try file?.replace(with: state.json) }
        }
    }
}
