import FailoverCore

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
