import Failover
import Foundation
import Testing

/// `config/reference.yaml`, line by line, as `scripts/manual` reads it too.
struct ConfigurationReference {
    /// A key, and what the comment beside it says.
    struct Entry: CustomTestStringConvertible, Sendable {
        let line: Int
        /// The heading that it stands below, in small letters.
        let section: String
        /// Indentation, and the dash of a list.
        let start: String
        let key: String
        let value: String
        let type: String
        let isRequired: Bool
        /// Whether another default is named beside the value.
        let isExample: Bool

        var testDescription: String { "\(line + 1): \(section): \(key)" }
    }

    static let url = ConfigurationFixture.folder.appending(path: "../../../config/reference.yaml").standardized

    let lines: [String]
    private(set) var entries: [Entry] = []

    init() throws {
        let key = /( *(?:- )?)([a-z_]+): *(.*?) *# (.+?)(, required[^;]*)?(; default: .+)?/
        lines = try String(contentsOf: Self.url, encoding: .utf8).components(separatedBy: "\n")
        var headings: [(indentation: Int, text: String)] = []
        for (number, line) in lines.enumerated() where !line.isEmpty {
            let indentation = line.prefix { $0 == " " }.count
            if let heading = line.wholeMatch(of: /( *)## (.+)/) {
                headings.removeAll { $0.indentation >= indentation }
                headings.append((indentation, heading.2.lowercased()))
            } else if let match = line.wholeMatch(of: key) {
                headings.removeAll { $0.indentation > indentation }
                entries.append(
                    Entry(
                        line: number, section: headings.last?.text ?? "", start: String(match.1), key: String(match.2),
                        value: String(match.3), type: String(match.4), isRequired: match.5 != nil,
                        isExample: match.6 != nil))
            }
        }
    }

    /// The configuration that the file says, or says with another line in an entry's place.
    func configuration(
        with line: String? = nil, for entry: Entry? = nil
    ) throws(ConfigurationError) -> Configuration {
        var lines = lines
        if let line, let entry { lines[entry.line] = line }
        return try Configuration.parse(
            lines.joined(separator: "\n"), fileName: Self.url.path, environment: ConfigurationFixture.environment)
    }
}
