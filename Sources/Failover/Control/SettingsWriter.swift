import FailoverCore
import FailoverNotify

/// Keeps the settings file up to date. It writes the file after routes have moved, one version after another.
actor SettingsWriter {
    private var file: SettingsFile?
    private var version = 0
    private var published = PublishedSettings(order: [])

    /// Writes the file for the first time, with no service down.
    ///
    /// - Parameter path: the path of the file; `nil` if there is none.
    /// - Throws: if the file cannot be written.
    init(path: String?) throws {
        file = path.map { SettingsFile(path: $0) }
        try file?.replace(with: published.json)
    }

    /// Writes the current settings, unless the file already has this version. If many outages begin at once, the first
    /// call writes the settings of all.
    ///
    /// - Parameters:
    ///   - version: the version that the file must have, at least.
    ///   - latest: returns the current settings.
    /// - Throws: if the file cannot be written. The former file remains in that case.
    func write(_ version: Int, _ latest: @Sendable () -> ControlPlane.Settings) throws {
        guard version > self.version else { return }
        let settings = latest()
        try file?.replace(with: settings.published.json)
        (self.version, published) = (settings.version, settings.published)
    }

    /// Checks that a file at another path can be written, by writing the current settings there.
    ///
    /// - Throws: if the file cannot be written.
    func prepare(path: String?) throws {
        guard let path, path != file?.path else { return }
        try SettingsFile(path: path).replace(with: published.json)
    }

    /// Writes the settings to a file at this path from now on. If the path is a new one, the former file is removed.
    ///
    /// - Throws: if the file cannot be written.
    func move(to path: String?, _ settings: ControlPlane.Settings) throws {
        guard path != file?.path else { return try write(settings.version) { settings } }
        file?.remove()
        file = path.map { SettingsFile(path: $0) }
        version = max(version, settings.version)
        published = settings.published
        try file?.replace(with: published.json)
    }

    /// Stops writing, because another process writes the file now.
    func leave() { file = nil }
}
