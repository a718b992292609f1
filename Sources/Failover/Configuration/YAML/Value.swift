import FailoverCore
import Yams

/// A value of the file with its place. Reading it as what it should be gives `nil` after reporting why it is not that.
struct Value {
    let node: Node
    let place: Place
    let log: ProblemLog

    func report(_ message: String) { log.report(message, at: place) }

    /// Text that is not empty.
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

    /// A whole number within a range.
    func integer(in range: ClosedRange<Int>) -> Int? {
        let expectation = "expected a whole number from \(range.lowerBound) to \(range.upperBound)"
        guard let text = scalar(expectation) else { return nil }
        guard let number = Int(text), range.contains(number), !text.hasPrefix("+") else {
            report("\(expectation), found \(text.quotedForMessage)")
            return nil
        }
        return number
    }

    /// A part of a whole, from 0 to 1.
    func fraction() -> Double? {
        let expectation = "expected a fraction from 0 to 1"
        guard let text = scalar(expectation) else { return nil }
        guard text.wholeMatch(of: /[01]|[01]?\.[0-9]{1,9}/) != nil,
            let number = Double(text.hasPrefix(".") ? "0\(text)" : text), number <= 1
        else {
            report("\(expectation), found \(text.quotedForMessage)")
            return nil
        }
        return number
    }

    /// A limit; 0 and `nil` are none.
    func limit(upTo maximum: Int) -> Int? {
        integer(in: 0...maximum).flatMap { $0 == 0 ? nil : $0 }
    }

    /// A duration longer than 0.
    func duration() -> Duration? {
        guard let duration = durationOrZero() else { return nil }
        if duration == .zero {
            report("must be longer than 0")
            return nil
        }
        return duration
    }

    /// A duration.
    func durationOrZero() -> Duration? {
        guard let text = scalar("expected a duration such as 2, 500ms, 2s, 5m or 1h") else { return nil }
        return read { () throws(InvalidText) in try Duration(configurationText: text) }
    }

    /// A number of bytes.
    func byteCountOrZero() -> UInt64? {
        guard let text = scalar("expected a number of bytes such as 16777216, 512kB, 64MB or 1GB") else { return nil }
        return read { () throws(InvalidText) in try UInt64(byteText: text) }
    }

    /// A number of bytes, not 0.
    func byteCount() -> UInt64? {
        guard let count = byteCountOrZero() else { return nil }
        if count == 0 {
            report("must be more than 0")
            return nil
        }
        return count
    }

    /// One of the raw values of an enumeration.
    func choice<Choice: RawRepresentable<String> & CaseIterable>(of _: Choice.Type) -> Choice? {
        let names = Choice.allCases.map(\.rawValue)
        let expectation = "expected \(names.count == 1 ? names.joined() : "one of \(names.joined(separator: ", "))")"
        guard let text = scalar(expectation) else { return nil }
        if let choice = Choice(rawValue: text) { return choice }
        report("\(expectation), found \(text.quotedForMessage)")
        return nil
    }

    /// Whether this is a list.
    var isList: Bool {
        switch node {
        case .sequence: true
        case .scalar, .mapping, .alias: false
        }
    }

    /// The elements of a list; a single value counts as a list of itself.
    func elements() -> [Value]? {
        switch node {
        case .sequence(let nodes):
            return nodes.enumerated().map { index, node in
                Value(node: node, place: place.element(index, line: node.mark?.line), log: log)
            }
        case .scalar where !node.isNull: return [self]
        case .scalar, .mapping, .alias:
            report("expected one value or a list, found \(node.kindForMessage)")
            return nil
        }
    }

    /// Keys and values; `key:` with nothing after it has none.
    func section() -> Section? {
        if case .mapping(let mapping) = node { return Section(mapping, place: place, log: log) }
        if node.isNull { return Section(Node.Mapping([]), place: place, log: log) }
        report("expected keys and values, found \(node.kindForMessage)")
        return nil
    }

    /// The text of a scalar that is not null.
    func scalar(_ expectation: String) -> String? {
        if let textIfAny { return textIfAny }
        report("\(expectation), found \(node.kindForMessage)")
        return nil
    }

    /// The text of a scalar that is not null, without a report if it is something else.
    var textIfAny: String? {
        guard case .scalar(let scalar) = node, !node.isNull else { return nil }
        return scalar.string
    }

    /// The outcome of reading text, whose problem is this value's.
    func read<Outcome>(_ reading: () throws(InvalidText) -> Outcome) -> Outcome? {
        do {
            return try reading()
        } catch {
            report(error.message)
            return nil
        }
    }
}
