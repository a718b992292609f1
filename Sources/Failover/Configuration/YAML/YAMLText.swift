import Yams

/// The text of a configuration and what turns it into nodes, within bounds.
///
/// Four things could make a small file expensive: nesting (libyaml stops at 1000 levels, ``checkBounds(of:log:)`` at
/// 32), aliases that multiply (`checkBounds` counts what they expand to), and in keys, which Yams hashes before anyone can
/// count, such aliases (``AliasInKey`` refuses them first) and nesting (``KeyNesting`` does).
struct YAMLText {
    /// 1 MiB.
    static let maximumSize = 1 << 20
    /// Values and keys, after aliases are expanded.
    static let maximumNodes = 20_000
    static let maximumDepth = 32

    private let text: String

    init(_ text: String) { self.text = text }

    /// The root of the only document; `nil` after reporting why there is none.
    func composed(log: ProblemLog) -> Node? {
        if text.utf8.count > Self.maximumSize {
            log.report("the file is larger than \(Self.maximumSize >> 20) MiB")
            return nil
        }
        if let line = AliasInKey.firstLine(in: text) {
            log.report("YAML aliases in keys are not supported", at: Place(line: line))
            return nil
        }
        if let line = KeyNesting.firstLine(in: text) {
            log.report(Self.tooDeep, at: Place(line: line))
            return nil
        }
        do {
            // Every scalar stays text: `off`, `1_000` or `0123` mean what their key says they mean.
            guard let root = try compose(yaml: textForYams, .basic, .default, .utf8), !root.isNull else {
                log.report("the file is empty")
                return nil
            }
            return Self.checkBounds(of: root, log: log) ? root : nil
        } catch {
            report(error, log: log)
            return nil
        }
    }

    /// Yams keeps a pointer to the string's storage beyond the call that lends it. That is sound for text on the heap
    /// only, and Swift keeps up to 15 bytes inline; trailing spaces move a short text there.
    private var textForYams: String {
        var text = text.utf8.count < 32 ? text + String(repeating: " ", count: 32) : text
        text.makeContiguousUTF8()
        return text
    }

    private func report(_ error: any Error, log: ProblemLog) {
        guard let error = error as? YamlError else {
            log.report("not YAML: \(error)")
            return
        }
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _):
            let position = context.map { " \($0.text) that starts in line \($0.mark.line)" } ?? ""
            log.report(Self.message(problem, position), at: Place(line: clamped(mark.line)))
        case .composer(let context, let problem, let mark, _):
            // The only composer's problem with a context is that of a second document.
            let message = context == nil ? "not YAML: \(problem)" : "a second document starts here"
            log.report(message, at: Place(line: clamped(mark.line)))
        case .duplicatedKeysInMapping(let keys, let context):
            let names = keys.map(\.quotedForMessage).joined(separator: ", ")
            log.report("duplicate key \(names), here for the first time", at: Place(line: clamped(context.mark.line)))
        case .reader(let problem, let offset, _, _):
            let line = offset.map { text.prefix(max(0, $0)).count(where: \.isNewline) + 1 }
            log.report("not YAML: \(problem)", at: Place(line: line))
        case .no, .memory, .writer, .emitter, .representer, .dataCouldNotBeDecoded:
            log.report("not YAML: \(error)")
        }
    }

    /// libyaml's words, and what they mean to somebody who does not know them.
    private static func message(_ problem: String, _ context: String) -> String {
        if problem.hasPrefix("Maximum nesting level") { return tooDeep }
        if problem.contains("cannot start any token") {
            return "not YAML: \(problem); tabs do not indent, and text that starts with @, % or ` needs quotes"
        }
        return "not YAML: \(problem)\(context)"
    }

    private static let tooDeep = "nested deeper than \(maximumDepth) levels"

    /// libyaml sees the end of the text one line after the last.
    private func clamped(_ line: Int) -> Int {
        let newlines = text.count(where: \.isNewline)
        return min(line, text.last?.isNewline == true ? max(newlines, 1) : newlines + 1)
    }

    private static func checkBounds(of root: Node, log: ProblemLog) -> Bool {
        var budget = maximumNodes
        return checkBounds(of: root, depth: 1, budget: &budget, log: log)
    }

    private static func checkBounds(of node: Node, depth: Int, budget: inout Int, log: ProblemLog) -> Bool {
        let place = Place(line: node.mark?.line)
        budget -= 1
        if budget < 0 {
            log.report("more than \(maximumNodes) values, counting what aliases repeat", at: place)
            return false
        }
        if depth > maximumDepth {
            log.report(tooDeep, at: place)
            return false
        }
        if !node.hasPlainTag {
            log.report("YAML tags are not supported", at: place)
            return false
        }
        switch node {
        case .scalar, .alias: return true
        case .sequence(let elements):
            return elements.allSatisfy { checkBounds(of: $0, depth: depth + 1, budget: &budget, log: log) }
        case .mapping(let pairs):
            return pairs.allSatisfy { key, value in
                checkBounds(of: key, depth: depth + 1, budget: &budget, log: log)
                    && checkBounds(of: value, depth: depth + 1, budget: &budget, log: log)
            }
        }
    }
}
