import FailoverCore
import FailoverSystem
public import Testing

/// Runs one test at a time, of all tests in all modules with this trait. These tests play faults on servers that the
/// others need too.
public struct SharedServers: SuiteTrait, TestTrait, TestScoping {
    /// The queue in which a test waits for the ones before it.
    private final class Queue: Sendable {
        private struct State {
            var isTaken = false
            var waiting: [CheckedContinuation<Void, Never>] = []
        }

        private let state = Lock(State())

        func enter() async {
            await withCheckedContinuation { continuation in
                let mayEnter = state.withLock { state in
                    if state.isTaken { state.waiting.append(continuation) }
                    defer { state.isTaken = true }
                    return !state.isTaken
                }
                if mayEnter { continuation.resume() }
            }
        }

        func leave() {
            let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
                state.isTaken = !state.waiting.isEmpty
                return state.waiting.isEmpty ? nil : state.waiting.removeFirst()
            }
            next?.resume()
        }
    }

    private static let databases = Queue()
    private static let services = Queue()

    private let queue: Queue

    public var isRecursive: Bool { true }

    public func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        // A scope of the suite itself would block its tests.
        guard testCase != nil else { return try await function() }
        await queue.enter()
        defer { queue.leave() }
        try await function()
    }
}

extension SharedServers {
    fileprivate static var ofDatabases: Self { Self(queue: databases) }
    fileprivate static var ofServices: Self { Self(queue: services) }
}

extension Trait where Self == SharedServers {
    /// For a test that needs exclusive access to the laboratory's caches and brokers.
    public static var sharedServers: Self { .ofServices }

    /// For a test that needs exclusive access to the laboratory's PostgreSQL and MariaDB.
    ///
    /// A test that needs both uses this trait on the outer suite, so that the databases come first. Two tests with
    /// different orders would wait for each other.
    public static var sharedDatabases: Self { .ofDatabases }
}
