import FailoverCore
import FailoverSystem

/// Runs a task on the calling thread, which waits for nothing else.
final class CallingThread: TaskExecutor {
    private let jobs = Lock<[UnownedJob]>([])

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        jobs.withLock { $0.append(job) }
    }

    /// - Returns: the result; `nil` if the work waits for something outside of itself.
    static func run<Value: Sendable>(_ work: @escaping @Sendable () async -> Value) -> Value? {
        let thread = CallingThread()
        let outcome = Lock<Value?>(nil)
        Task(executorPreference: thread) {
            let value = await work()
            outcome.withLock { $0 = value }
        }
        while let job = thread.jobs.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) {
            job.runSynchronously(on: thread.asUnownedTaskExecutor())
        }
        return outcome.withLock { $0 }
    }
}
