package import FailoverCore
import FailoverSystem
import FoundationEssentials
import Glibc

/// A file that is complete at every moment. Each change writes a new file that replaces the old one.
package struct SettingsFile: Sendable {
    package let path: String

    package init(path: String) { self.path = path }

    /// Replaces the file. All users may read the new file. This process must be able to create files in the folder.
    ///
    /// - Throws: ``OperationError`` if the file cannot be written. The former file stays in this case.
    package func replace(with text: String) throws(OperationError) {
        let temporary = "\(path).\(getpid()).new"
        do throws(SystemError) {
            try Self.write(text, to: temporary)
            guard rename(temporary, path) == 0 else { throw SystemError.last() }
        } catch {
            unlink(temporary)
            throw OperationError(.settingsFile, "settings_file \(path): \(error.message)", cause: error)
        }
    }

    /// Removes the file because it is no longer updated.
    package func remove() { unlink(path) }

    private static func write(_ text: String, to path: String) throws(SystemError) {
        // A former process may have left a file. If it is a link, the link is removed, not its target.
        unlink(path)
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else { throw SystemError.last() }
        defer { close(descriptor) }
        fchmod(descriptor, 0o644)
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno != EINTR { throw SystemError.last() }
            if count > 0 { rest = rest.dropFirst(count) }
        }
        // Without this, a crash of the machine could leave an empty file under the new name.
        guard fsync(descriptor) == 0 else { throw SystemError.last() }
    }
}

/// The `failover_settings` of the services that are down. This is a value type: a change does not write the file.
package struct PublishedSettings: Hashable, Sendable {
    private let order: [String]
    /// The settings of the services that are down, by service.
    package private(set) var services: [String: [String: String]] = [:]

    /// - Parameter order: the names of all services. If two services set the same name, the value of the first one
    ///   counts.
    package init(order: [String]) { self.order = order }

    package mutating func publish(_ settings: [String: String], of service: String) { services[service] = settings }

    package mutating func withdraw(_ service: String) { services[service] = nil }

    /// The names and values of all services that are down.
    package var merged: [String: String] {
        order.compactMap { services[$0] }.reduce(into: [:]) { $0.merge($1) { first, _ in first } }
    }

    /// The content of the file: `{"services": {SERVICE: {NAME: VALUE}}, "settings": {NAME: VALUE}}`, with sorted keys
    /// and a newline at the end.
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
