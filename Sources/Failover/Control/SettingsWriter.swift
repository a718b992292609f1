import FailoverCore
import FailoverNotify

/// Keeps the settings file true: writes it after routes have moved, one version after the other.
actor SettingsWriter {
    private var file: SettingsFile?
    private var version = 0
    private var published = PublishedSettings(order: [])

    /// Writes the file for the first time: nothing is known to be down.
    ///
    /// - Parameter path: `nil` where there is no file.
    /// - Throws: when it cannot be written.
    init(path: String?) throws {
        file = path.map { SettingsFile(path: $0) }
        try file?.replace(with: published.json)
    }

    /// Writes what is to be published, unless the file says that already. Of many outages at once the first to have its turn
    /// writes for all.
    ///
    /// - Parameters:
    ///   - version: the one that the file must have, if not a newer one.
    ///   - latest: what is to be published now.
    /// - Throws: when it cannot be written; the former file stays then.
    func write(_ version: Int, _ latest: @Sendable () -> ControlPlane.Settings) throws {
        guard version > self.version else { return }
        let settings = latest()
        try file?.replace(with: settings.published.json)
        (self.version, published) = (settings.version, settings.published)
    }

    /// Sees that a file at another path can be written, by writing what the present one says.
    ///
    /// - Throws: when it cannot.
    func prepare(path: String?) throws {
        guard let path, path != file?.path else { return }
        try SettingsFile(path: path).replace(with: published.json)
    }

    /// Writes these to a file at this path from now on, in place of the former one.
    ///
    /// - Throws: when it cannot be written.
    func move(to path: String?, _ settings: ControlPlane.Settings) throws {
        guard path != file?.path else { return try write(settings.version) { settings } }
        file?.remove()
        file = path.map { SettingsFile(path: $0) }
        version = max(version, settings.version)
        published = settings.published
        try file?.replace(with: published.json)
    }

    /// The file is another process's from now on.
    func leave() { file = nil }
}
