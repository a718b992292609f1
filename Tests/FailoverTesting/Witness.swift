import FailoverCore
import FailoverSystem
import Synchronization

/// A component under test that writes a log. Its lines are reported with a failure of the test, so that a failure
/// that occurs once in a hundred runs can be explained from its output.
public final class Witness: Sendable {
    private struct State {
        /// How many of its lines have been reported.
        var told = 0
        /// The lines of a component that has ended.
        var testament: [String]?
    }

    private let name: String
    private let look: @Sendable () -> [String]
    private let state = Lock(State())

    /// The maximum number of lines in one report.
    private static let most = 80

    /// - Parameters:
    ///   - name: the heading of its lines.
    ///   - look: returns all of its lines so far.
    public init(_ name: String, _ look: @escaping @Sendable () -> [String]) {
        self.name = name
        self.look = look
        Witnesses.ofThisTest?.add(self)
    }

    /// Saves the lines because the component has ended and its log is about to be removed.
    public func leave() {
        let lines = look()
        state.withLock { $0.testament = $0.testament ?? lines }
    }

    /// The lines since the last call; `nil` if there are none.
    func tell() -> String? {
        let now = state.withLock { $0.testament } == nil ? look() : []
        return state.withLock { state in
            let all = state.testament ?? now
            let new = all.dropFirst(state.told)
            state.told = max(state.told, all.count)
            guard !new.isEmpty else { return nil }
            let omitted = new.count - Self.most
            let head = omitted > 0 ? "\(name) said, after \(omitted) lines more:" : "\(name) said:"
            return ([head] + new.suffix(Self.most)).joined(separator: "\n    ")
        }
    }
}

/// The witnesses of one test.
final class Witnesses: Sendable {
    @TaskLocal static var ofThisTest: Witnesses?

    private let all = Lock<[Witness]>([])
    private let failures = Atomic<Int>(0)

    var hasFailed: Bool { failures.load(ordering: .relaxed) > 0 }

    func noteFailure() { failures.add(1, ordering: .relaxed) }

    func add(_ witness: Witness) { all.withLock { $0.append(witness) } }

    func tell() -> [String] { all.withLock { $0 }.compactMap { $0.tell() } }
}
