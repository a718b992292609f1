import Yams

/// The text of a configuration. It is parsed into nodes within limits.
///
/// Four constructs can make a small file expensive to parse:
/// - nesting: libyaml stops at 1000 levels, ``checkBounds(of:file:)`` at 32;
/// - aliases of aliases: `checkBounds` counts the values that they expand to;
/// - such aliases in keys, which Yams hashes before they can be counted: ``AliasInKey`` refuses them first;
/// - nesting in keys: ``KeyNesting`` refuses it first.
struct YAMLText {
    /// 1 MiB.
    static let maximumSize = 1 << 20
    /// Values and keys, after aliases are expanded.
    static let maximumNodes = 20_000
    static let maximumDepth = 32

    private let text: String

    init(_ text: String) { self.text = text }

    /// The root of the only document. If there is none, the reason is reported and the result is `nil`.
    func composed(file: SourceFile) -> Node? {
        if text.utf8.count > Self.maximumSize {
            file.report("the file is larger than \(Self.maximumSize >> 20) MiB")
            return nil
        }
        if let line = AliasInKey.firstLine(in: text) {
            file.report("YAML aliases in keys are not supported", at: SourceLocation(line: line))
            return nil
        }
        if let line = KeyNesting.firstLine(in: text) {
            file.report(Self.tooDeep, at: SourceLocation(line: line))
            return nil
        }
        do {
            // Every scalar is kept as text. The schema decides what `off`, `1_000` or `0123` means for a key.
            guard let root = try compose(yaml: textForYams, .basic, .default, .utf8), !root.isNull else {
                file.report("the file is empty")
                return nil
            }
            return Self.checkBounds(of: root, file: file) ? root : nil
        } catch {
            report(error, file: file)
            return nil
        }
    }

    /// Yams keeps a pointer to the string's storage after the call that provides it. That is safe only for text on
    /// the heap, and Swift keeps up to 15 bytes inline. Trailing spaces move a short text to the heap.
    private var textForYams: String {
        var text = text.utf8.count < 32 ? text + String(repeating: " ", count: 32) : text
        text.makeContiguousUTF8()
        return text
    }

    private func report(_ error: any Error, file: SourceFile) {
        guard let error = error as? YamlError else {
            file.report("not YAML: \(error)")
            return
        }
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _):
            let position = context.map { " \($0.text) that starts in line \($0.mark.line)" } ?? ""
            file.report(Self.message(problem, position), at: SourceLocation(line: clamped(mark.line)))
        case .composer(let context, let problem, let mark, _):
            // The composer gives a context only if there is a second document.
            let message = context == nil ? "not YAML: \(problem)" : "a second document starts here"
            file.report(message, at: SourceLocation(line: clamped(mark.line)))
        case .duplicatedKeysInMapping(let keys, let context):
            let names = keys.map(\.quotedForMessage).joined(separator: ", ")
            file.report("duplicate key \(names), first used here", at: SourceLocation(line: clamped(context.mark.line)))
        case .reader(let problem, let offset, _, _):
            let line = offset.map { text.prefix(max(0, $0)).count(where: \.isNewline) + 1 }
            file.report("not YAML: \(problem)", at: SourceLocation(line: line))
        case .no, .memory, .writer, .emitter, .representer, .dataCouldNotBeDecoded:
            file.report("not YAML: \(error)")
        }
    }

    /// libyaml's message, with an explanation where it is unclear.
    private static func message(_ problem: String, _ context: String) -> String {
        if problem.hasPrefix("Maximum nesting level") { return tooDeep }
        if problem.contains("cannot start any token") {
            return "not YAML: \(problem); tabs do not indent, and text that starts with @, % or ` needs quotes"
        }
        return "not YAML: \(problem)\(context)"
    }

    private static let tooDeep = "nested deeper than \(maximumDepth) levels"

    /// libyaml reports the end of the text one line after the last line.
    private func clamped(_ line: Int) -> Int {
        let newlines = text.count(where: \.isNewline)
        return min(line, text.last?.isNewline == true ? max(newlines, 1) : newlines + 1)
    }

    private static func checkBounds(of root: Node, file: SourceFile) -> Bool {
        var budget = maximumNodes
        return checkBounds(of: root, depth: 1, budget: &budget, file: file)
    }

    private static func checkBounds(of node: Node, depth: Int, budget: inout Int, file: SourceFile) -> Bool {
        let location = SourceLocation(line: node.mark?.line)
        budget -= 1
        if budget < 0 {
            file.report("more than \(maximumNodes) values after aliases are expanded", at: location)
            return false
        }
        if depth > maximumDepth {
            file.report(tooDeep, at: location)
            return false
        }
        if !node.hasPlainTag {
            file.report("YAML tags are not supported", at: location)
            return false
        }
        switch node {
        case .scalar, .alias: return true
        case .sequence(let elements):
            return elements.allSatisfy { checkBounds(of: $0, depth: depth + 1, budget: &budget, file: file) }
        case .mapping(let pairs):
            return pairs.allSatisfy { key, value in
                checkBounds(of: key, depth: depth + 1, budget: &budget, file: file)
                    && checkBounds(of: value, depth: depth + 1, budget: &budget, file: file)
            }
        }
    }
}
