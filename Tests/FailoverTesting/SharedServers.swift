import FailoverCore
public import Testing

/// One test at a time, of those in all modules that say so: they play faults on servers that the others need too.
public struct SharedServers: SuiteTrait, TestTrait, TestScoping {
    /// Where a test waits for those before it.
    private struct Queue {
        var isTaken = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private static let queue = Lock(Queue())

    public var isRecursive: Bool { true }

    public func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        // A suite's own scope would hold up the tests within.
        guard testCase != nil else { return try await function() }
        await Self.enter()
        defer { Self.leave() }
        try await function()
    }

    private static func enter() async {
        await withCheckedContinuation { continuation in
            let mayEnter = queue.withLock { queue in
                if queue.isTaken { queue.waiting.append(continuation) }
                defer { queue.isTaken = true }
                return !queue.isTaken
            }
            if mayEnter { continuation.resume() }
        }
    }

    private static func leave() {
        let next = queue.withLock { queue -> CheckedContinuation<Void, Never>? in
            queue.isTaken = !queue.waiting.isEmpty
            return queue.waiting.isEmpty ? nil : queue.waiting.removeFirst()
        }
        next?.resume()
    }
}

extension Trait where Self == SharedServers {
    /// The test needs the laboratory's caches and brokers to itself.
    public static var sharedServers: Self { SharedServers() }
}
