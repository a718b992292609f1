import FailoverCore
import Yams

/// A value of the file with its location. If the value is not as expected, the methods that read it report why and
/// return `nil`.
struct Value {
    let node: Node
    let location: SourceLocation
    let file: SourceFile

    func report(_ message: String) { file.report(message, at: location) }

    /// Reads a text that is not empty.
    func text() -> String? {
        guard let text = scalar("expected text") else { return nil }
        if text.isEmpty {
            report("must not be empty")
            return nil
        }
        if text.utf8.contains(0) {
            report("must not contain a NUL character")
            return nil
        }
        return text
    }

    /// Whether this is a list.
    var isList: Bool {
        switch node {
        case .sequence: true
        case .scalar, .mapping, .alias: false
        }
    }

    /// The elements of a list; a single value counts as a list of one.
    func elements() -> [Value]? {
        if elementsIfAny == nil { report("expected one value or a list, found \(node.kindForMessage)") }
        return elementsIfAny
    }

    /// The elements of a list or a single value; `nil`, without a report, if the value is neither.
    var elementsIfAny: [Value]? {
        switch node {
        case .sequence(let nodes):
            nodes.enumerated().map { index, node in
                Value(node: node, location: location.element(index, line: node.mark?.line), file: file)
            }
        case .scalar where !node.isNull: [self]
        case .scalar, .mapping, .alias: nil
        }
    }

    /// Reads keys and values. A key without a value is a section without keys.
    func section() -> Section? {
        if case .mapping(let mapping) = node { return Section(mapping, location: location, file: file) }
        if node.isNull { return Section(Node.Mapping([]), location: location, file: file) }
        report("expected keys and values, found \(node.kindForMessage)")
        return nil
    }

    /// Reads the text of a scalar that is not null.
    func scalar(_ expectation: String) -> String? {
        if let textIfAny { return textIfAny }
        report("\(expectation), found \(node.kindForMessage)")
        return nil
    }

    /// The text of a scalar that is not null; `nil`, without a report, if the value is something else.
    var textIfAny: String? {
        guard case .scalar(let scalar) = node, !node.isNull else { return nil }
        return scalar.string
    }

    /// The result of parsing the text. An error is reported at this value.
    func parse<Outcome>(_ expectation: String, _ parse: (String) throws(InvalidText) -> Outcome) -> Outcome? {
        guard let text = scalar(expectation) else { return nil }
        return read { () throws(InvalidText) in try parse(text) }
    }

    /// The result of reading. An error is reported at this value.
    func read<Outcome>(_ reading: () throws(InvalidText) -> Outcome) -> Outcome? {
        do {
            return try reading()
        } catch {
            report(error.message)
            return nil
        }
    }

    /// The same value, without reports. It is for code that reads a value again.
    var muted: Value { Value(node: node, location: location, file: SourceFile(name: "")) }
}
