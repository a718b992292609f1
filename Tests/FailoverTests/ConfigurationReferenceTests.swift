import FailoverCore
import Testing

@testable import Failover

/// The reference and the parser say the same.
struct ConfigurationReferenceTests {
    private static let entries = (try? ConfigurationReference().entries) ?? []

    @Test func everyKeyIsNamedAndNoOther() throws {
        let keys = Dictionary(grouping: try ConfigurationReference().entries, by: \.section).mapValues { $0.map(\.key) }
        let shared = ["a service": "every service", "a notifier": "every notifier"]
        for vocabulary in Vocabulary.all {
            let more = shared.first { vocabulary.section.hasPrefix($0.key) }.flatMap { keys[$0.value] } ?? []
            let named = (keys[vocabulary.section] ?? []) + more
            #expect(named.sorted() == vocabulary.keys.sorted(), "\(vocabulary.section)")
        }
        #expect(Set(keys.keys) == Set(Vocabulary.all.map(\.section) + shared.values))
    }

    @Test(arguments: entries.filter { !$0.value.isEmpty })
    func aKeyThatIsLeftOutHasTheStatedDefault(entry: ConfigurationReference.Entry) throws {
        let reference = try ConfigurationReference()
        if entry.isRequired {
            #expect(throws: ConfigurationError.self) { try reference.configuration(with: entry.start, for: entry) }
        } else {
            let isTheSame = try reference.configuration(with: entry.start, for: entry) == reference.configuration()
            #expect(isTheSame == !entry.isExample)
        }
    }

    @Test(arguments: entries.filter { $0.type.contains(/^number|^duration|\s\|\s/) })
    func otherValuesThanTheStatedAreRefused(entry: ConfigurationReference.Entry) throws {
        let words = entry.type.replacing("list of ", with: "").replacing(" | ", with: ", ")
        let expected =
            switch entry.type.prefix(while: { $0 != " " }) {
            case "number": "expected a whole \(words), found"
            case "duration": "expected a duration"
            default: "expected one of \(words), found"
            }
        let error = #expect(throws: ConfigurationError.self) {
            try ConfigurationReference().configuration(with: "\(entry.start)\(entry.key): nonsense", for: entry)
        }
        #expect(error?.problems.contains { $0.message.hasPrefix(expected) } == true, "\(entry.type)")
    }

    @Test func everyErrorTriggerIsNamed() throws {
        let text = try ConfigurationReference().lines.joined()
        for trigger in BackendErrorKind.allCases { #expect(text.contains(trigger.rawValue)) }
    }
}
