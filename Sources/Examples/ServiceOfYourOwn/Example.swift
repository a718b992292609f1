import FailoverMonitor
import Foundation
import Logging

/// A folder for uploads. A ping checks whether the folder is writable. The program decides what happens while it is
/// not: here, uploads wait in memory.
struct Spool: Service {
    let folder: URL
    let uploads: Uploads
    /// Pinged at every request. Real applications use longer intervals: the defaults are 120 s while up, 30 s while
    /// down.
    let settings = MonitorSettings(
        frequencies: PingFrequencies(monitoringInterval: .zero, outageInterval: .zero))

    func ping() async throws {
        try Data().write(to: folder.appendingPathComponent("ping"))
    }

    func failover() async throws { await uploads.wait() }
    func recover() async throws { await uploads.go(to: folder) }
}

/// Where uploads go.
actor Uploads {
    private(set) var folder: URL?

    init(folder: URL) { self.folder = folder }

    func wait() { folder = nil }
    func go(to folder: URL) { self.folder = folder }

    var place: String { folder == nil ? "memory" : "the folder" }
}

@main
enum Example {
    static func main() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("spool-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let uploads = Uploads(folder: folder)
        let monitor = ServiceMonitor(log: Logger(label: "example"))
        try monitor.register(Spool(folder: folder, uploads: uploads))

        await monitor.monitor()
        print("uploads go to \(await uploads.place)")

        try FileManager.default.removeItem(at: folder)
        await monitor.monitor()
        print("uploads go to \(await uploads.place)")

        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        await monitor.monitor()
        print("uploads go to \(await uploads.place)")
        await monitor.cleanup()
    }
}
