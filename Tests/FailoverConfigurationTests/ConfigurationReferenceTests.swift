import Foundation
import Testing

@testable import FailoverConfiguration

/// The reference matches the schema, and its statements are true.
struct ConfigurationReferenceTests {
    private static let entries = ReferenceFile().entries

    @Test(arguments: [
        ("config/reference.yaml", ConfigurationReference.yaml),
        ("docs/configuration.md", ConfigurationReference.markdown),
    ])
    func fileIsWhatTheSchemaSays(path: String, text: String) throws {
        let url = ConfigurationFixture.folder.appending(path: "../../../\(path)").standardized
        if ConfigurationFixture.isRecording { try text.write(to: url, atomically: true, encoding: .utf8) }
        let isCurrent = try String(contentsOf: url, encoding: .utf8) == text
        #expect(isCurrent, "regenerate it: CONFIGURATION_RECORD=1 swift test --filter FailoverConfigurationTests")
    }

    @Test func everyKeyIsInTheReference() {
        let keys = Set(Self.entries.map(\.key))
        #expect(keys == Set(Schema.vocabularies.flatMap(\.keys)))
    }

    @Test(arguments: entries.filter { !$0.value.isEmpty })
    func aKeyThatIsLeftOutHasTheStatedDefault(entry: ReferenceFile.Entry) throws {
        let reference = ReferenceFile()
        let whole = try reference.configuration()
        // Some examples depend on each other.
        let without = try? reference.configuration(with: entry.start, for: entry)
        if entry.isRequired { #expect(without == nil) } else { #expect((without == whole) == !entry.isExample) }
    }

    @Test(arguments: entries.filter { $0.type.contains(/^number|^duration|^boolean|\s\|\s/) })
    func otherValuesThanTheStatedAreRefused(entry: ReferenceFile.Entry) throws {
        let message = entry.type.replacing("list of ", with: "").replacing(" | ", with: ", ")
        let expected =
            switch entry.type.prefix(while: { $0 != " " }) {
            case "number": "expected a whole \(message), found"
            case "duration": "expected a duration"
            case "boolean": "expected one of true, false, on, off, found"
            default: "expected one of \(message), found"
            }
        let error = #expect(throws: ConfigurationError.self) {
            try ReferenceFile().configuration(with: "\(entry.start)\(entry.key): nonsense", for: entry)
        }
        #expect(error?.problems.contains { $0.message.hasPrefix(expected) } == true, "\(entry.type)")
    }

    @Test(arguments: entries.filter { $0.type == "boolean" })
    func booleansTakeFourWords(entry: ReferenceFile.Entry) throws {
        let reference = ReferenceFile()
        let readings = try [["true", "on"], ["false", "off"]].map { words in
            Set(try words.map { try reference.configuration(with: "\(entry.start)\(entry.key): \($0)", for: entry) })
        }
        #expect(readings.map(\.count) == [1, 1])
        #expect(readings.first != readings.last)
    }
}

/// The reference as a configuration file, line by line, as `scripts/manual` reads it too.
struct ReferenceFile {
    /// A key, and the content of the comment beside it.
    struct Entry: CustomTestStringConvertible, Sendable {
        let line: Int
        /// Indentation, and the dash of a list.
        let start: String
        let key: String
        let value: String
        let type: String
        let isRequired: Bool
        /// Whether the comment beside the value names another default.
        let isExample: Bool

        var testDescription: String { "\(line + 1): \(key)" }
    }

    private let lines = ConfigurationReference.yaml.components(separatedBy: "\n")
    private(set) var entries: [Entry] = []

    init() {
        let key = /( *(?:- )?)([a-z_]+): *(.*?) *# (.+?)(, required)?(; default: .+)?/
        for (number, line) in lines.enumerated() {
            guard let match = line.wholeMatch(of: key) else { continue }
            entries.append(
                Entry(
                    line: number, start: String(match.1), key: String(match.2), value: String(match.3),
                    type: String(match.4), isRequired: match.5 != nil, isExample: match.6 != nil))
        }
    }

    /// The configuration of the file, or of the file with another line in place of an entry.
    func configuration(
        with line: String? = nil, for entry: Entry? = nil
    ) throws(ConfigurationError) -> Configuration {
        var lines = lines
        if let line, let entry { lines[entry.line] = line }
        return try Configuration.parse(
            lines.joined(separator: "\n"), fileName: "/etc/failover/failover.yaml",
            environment: ConfigurationFixture.environment)
    }
}
