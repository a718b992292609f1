import FailoverConfiguration
import Foundation
import Testing

/// A configuration file for tests, and the environment for the variables that such files name.
struct ConfigurationFixture: CustomTestStringConvertible, Sendable {
    let url: URL

    var testDescription: String { url.lastPathComponent }

    static let environment = [
        "MONITOR_PASSWORD": "from-the-environment", "EMPTY": "", "BROKER_URL": "redis://monitor:secret@broker",
        "WEBHOOK_URL": "https://hooks.example/T0", "FAILOVER_ADMIN_TOKEN": "example-token",
        "LAB_MONITOR_PASSWORD": "from-the-laboratory",
    ]
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")

    /// Whether expected texts are rewritten, so that you can review the difference: CONFIGURATION_RECORD=1 swift
    /// test.
    static let isRecording = ProcessInfo.processInfo.environment["CONFIGURATION_RECORD"] == "1"

    func load() throws(ConfigurationError) -> Configuration {
        try Configuration.load(path: url.path, environment: Self.environment)
    }

    /// The problems of this file, one per line, without the folder's path.
    func problems() -> String {
        do {
            _ = try load()
            return ""
        } catch {
            let folders = ["invalid", "valid", "files"].map { Self.folder.appending(path: $0).path + "/" }
            return folders.reduce(error.description) { $0.replacing($1, with: "") } + "\n"
        }
    }

    /// The `.yaml` files of a folder.
    static func all(in folder: URL) throws -> [ConfigurationFixture] {
        try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == "yaml" }
            .sorted { $0.path < $1.path }
            .map(ConfigurationFixture.init)
    }
}
