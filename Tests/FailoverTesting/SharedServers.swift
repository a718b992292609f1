import FailoverCore
public import Testing

/// One test at a time, of those in all modules that say so: they play faults on servers that the others need too.
public struct SharedServers: SuiteTrait, TestTrait, TestScoping {
    /// Where a test waits for those before it.
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
        // A suite's own scope would hold up the tests within.
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
    /// The test needs the laboratory's caches and brokers to itself.
    public static var sharedServers: Self { .ofServices }

    /// The test needs the laboratory's PostgreSQL and MariaDB to itself.
    ///
    /// One that needs the others too takes these first, as the outer suite's trait: two that did it the other way round
    /// would wait for each other.
    public static var sharedDatabases: Self { .ofDatabases }
}
