import FailoverCore

/// The state of an application, for the code that started it.
public enum Lifecycle: Sendable {
    /// The application accepts clients.
    case serving
    /// A reload has put another configuration into effect.
    case reloaded(Configuration)
    /// A graceful shutdown has begun, or another process has taken over. The application waits for sessions to end.
    case stopping
}

/// A value that is in effect until it is replaced.
final class Current<Value: Sendable>: Sendable {
    private let lock: Lock<Value>

    init(_ value: Value) { lock = Lock(value) }

    var value: Value { lock.withLock { $0 } }

    func change(to value: Value) { lock.withLock { $0 = value } }
}

/// Tasks that start and end individually. Each is identified by an object.
final class RunningTasks: Sendable {
    private let tasks = Lock<[ObjectIdentifier: Task<Void, Never>]>([:])

    /// Runs `body` in a task until it returns or is cancelled.
    func start(_ object: AnyObject, _ body: @escaping @Sendable () async -> Void) {
        let id = ObjectIdentifier(object)
        tasks.withLock { $0[id] = Task(operation: body) }
    }

    /// Cancels the object's task, and waits for its end.
    func end(_ object: AnyObject) async {
        let task = tasks.withLock { $0.removeValue(forKey: ObjectIdentifier(object)) }
        task?.cancel()
        await task?.value
    }

    /// Waits until all tasks have returned by themselves.
    func finished() async {
        for task in tasks.withLock({ Array($0.values) }) { await task.value }
    }

    /// Cancels all tasks, and waits for their end.
    func endAll() async {
        let all = tasks.withLock { tasks in
            defer { tasks = [:] }
            return Array(tasks.values)
        }
        for task in all { task.cancel() }
        for task in all { await task.value }
    }
}

/// Performs reloads, one after another.
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
    /// - Returns: what changed, on one line.
    /// - Throws: the error for which the reload failed, or ``OperationError`` if the process is stopping. Nothing has
    ///   changed in that case.
    func reload(_ configuration: Configuration) async throws -> String {
        try await withCheckedThrowingContinuation { answer in
            let result = add.yield(Request(configuration: configuration, answer: answer))
            if case .enqueued = result { return }
            answer.resume(throwing: OperationError(.reload, "the process is stopping"))
        }
    }

    /// Performs reloads until ``finish()`` is called.
    func run(_ change: (Configuration) async throws -> String) async {
        for await request in requests {
            do {
                request.answer.resume(returning: try await change(request.configuration))
            } catch {
                request.answer.resume(throwing: error)
            }
        }
    }

    /// Refuses all reloads from now on.
    func finish() { add.finish() }
}
