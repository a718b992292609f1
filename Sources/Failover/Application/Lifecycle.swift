import FailoverCore

/// How it goes with an application, for whoever started it.
public enum Lifecycle: Sendable {
    /// Clients are accepted.
    case serving
    /// Another configuration has taken the former one's place.
    case reloaded(Configuration)
    /// A graceful shutdown begins, or another process has this one's place: sessions are waited for.
    case stopping
}

/// A value that is in effect, until another is.
final class Current<Value: Sendable>: Sendable {
    private let lock: Lock<Value>

    init(_ value: Value) { lock = Lock(value) }

    var value: Value { lock.withLock { $0 } }

    func change(to value: Value) { lock.withLock { $0 = value } }
}

/// What runs for a while on behalf of an object each: started and ended one by one.
final class RunningTasks: Sendable {
    private let tasks = Lock<[ObjectIdentifier: Task<Void, Never>]>([:])

    /// Runs `body` until it returns or is cancelled.
    func start(_ object: AnyObject, _ body: @escaping @Sendable () async -> Void) {
        let id = ObjectIdentifier(object)
        tasks.withLock { $0[id] = Task(operation: body) }
    }

    /// Cancels what runs for the object, and waits for its end.
    func end(_ object: AnyObject) async {
        let task = tasks.withLock { $0.removeValue(forKey: ObjectIdentifier(object)) }
        task?.cancel()
        await task?.value
    }

    /// Waits until all have returned by themselves.
    func finished() async {
        for task in tasks.withLock({ Array($0.values) }) { await task.value }
    }

    /// Cancels all, and waits for their end.
    func endAll() async {
        let all = tasks.withLock { tasks in
            defer { tasks = [:] }
            return Array(tasks.values)
        }
        for task in all { task.cancel() }
        for task in all { await task.value }
    }
}

/// Reloads, one after the other.
final class ReloadQueue: Sendable {
    private struct Request: Sendable {
        let configuration: Configuration
        let answer: CheckedContinuation<String, any Error>
    }

    private let requests: AsyncStream<Request>
    private let add: AsyncStream<Request>.Continuation

    init() { (requests, add) = AsyncStream.makeStream(of: Request.self) }

    /// Waits until the configuration is in effect.
    ///
    /// - Returns: what changed, in a line.
    /// - Throws: ``ReloadError``, or why it cannot be; nothing has changed then.
    func reload(_ configuration: Configuration) async throws -> String {
        try await withCheckedThrowingContinuation { answer in
            let result = add.yield(Request(configuration: configuration, answer: answer))
            if case .enqueued = result { return }
            answer.resume(throwing: ReloadError(words: "the process is stopping"))
        }
    }

    /// Reloads until ``finish()``.
    func run(_ change: (Configuration) async throws -> String) async {
        for await request in requests {
            do {
                request.answer.resume(returning: try await change(request.configuration))
            } catch {
                request.answer.resume(throwing: error)
            }
        }
    }

    /// Those that come from now on are refused.
    func finish() { add.finish() }
}

/// Another configuration cannot take the present one's place.
public struct ReloadError: Error, Hashable, CustomStringConvertible {
    let words: String
    public var description: String { words }
}
