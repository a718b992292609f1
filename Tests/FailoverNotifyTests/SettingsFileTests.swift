import FailoverCore
import FailoverSystem
import FailoverTesting
import Foundation
import Testing

@testable import FailoverNotify

@Suite("The settings file", .timeLimit(.minutes(5)))
struct SettingsFileTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "settings-\(UUID().uuidString)")
    private var path: String { folder.appending(path: "settings.json").path }

    init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }

    @Test func itHoldsWhatServicesThatAreDownSetAndTheFirstServiceCounts() throws {
        var settings = PublishedSettings(order: ["celery", "cache"])
        settings.publish(["LEVEL": "2", "CACHE": "\"off\""], of: "cache")
        settings.publish(["LEVEL": "1"], of: "celery")
        let text = """
            {
              "services" : {
                "cache" : {
                  "CACHE" : "\\"off\\"",
                  "LEVEL" : "2"
                },
                "celery" : {
                  "LEVEL" : "1"
                }
              },
              "settings" : {
                "CACHE" : "\\"off\\"",
                "LEVEL" : "1"
              }
            }

            """
        #expect(settings.json == text)
        settings.withdraw("celery")
        #expect(settings.merged == ["LEVEL": "2", "CACHE": "\"off\""])
        settings.withdraw("cache")
        #expect(settings == PublishedSettings(order: ["celery", "cache"]))
    }

    @Test func readersFindValidJSONAtEveryMoment() async throws {
        let file = SettingsFile(path: path)
        var settings = PublishedSettings(order: ["celery"])
        try file.replace(with: settings.json)
        let isDone = Lock(false)
        async let reads = onThread { [path] in
            var reads = 0
            repeat {
                let data = try Data(contentsOf: URL(filePath: path))
                _ = try JSONSerialization.jsonObject(with: data)
                reads += 1
            } while !isDone.withLock { $0 }
            return reads
        }
        for round in 0..<300 {
            if round.isMultiple(of: 2) {
                settings.publish(["LONG": String(repeating: "x", count: round * 50)], of: "celery")
            } else {
                settings.withdraw("celery")
            }
            try file.replace(with: settings.json)
        }
        isDone.withLock { $0 = true }
        #expect(try await reads > 0)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["settings.json"])
    }

    @Test func aFolderThatIsNotThereIsNamedAndTheFileStays() throws {
        let error = #expect(throws: OperationError.self) {
            try SettingsFile(path: "/nowhere/settings.json").replace(with: "{}")
        }
        #expect(error?.description == "settings_file /nowhere/settings.json: No such file or directory")
    }
}
