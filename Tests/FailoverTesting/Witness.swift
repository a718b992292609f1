import FailoverCore
import Synchronization

/// Something under test that writes a log: what it said is told with a failure of the test, so that one that comes once
/// in a hundred runs can be understood from their output alone.
public final class Witness: Sendable {
    private struct State {
        /// How many of its lines have been told.
        var told = 0
        /// What it said until it left.
        var testament: [String]?
    }

    private let name: String
    private let look: @Sendable () -> [String]
    private let state = Lock(State())

    /// Most lines that are told at a time.
    private static let most = 80

    /// - Parameters:
    ///   - name: what its lines are headed with.
    ///   - look: all of its lines so far.
    public init(_ name: String, _ look: @escaping @Sendable () -> [String]) {
        self.name = name
        self.look = look
        Witnesses.ofThisTest?.add(self)
    }

    /// It says no more, and what it has said is about to go.
    public func leave() {
        let lines = look()
        state.withLock { $0.testament = $0.testament ?? lines }
    }

    /// What it has said since it was asked last; `nil` if that is nothing.
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
