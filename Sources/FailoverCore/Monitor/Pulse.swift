/// Notices that this process stood still: it was stopped, its machine was, or it got no processor.
///
/// A task that is to wake twice a second, and how late it was.
final class Pulse: Sendable {
    private struct State {
        var due: MonotonicTime
        var longest = Duration.zero
    }

    private static let interval = Duration.milliseconds(500)

    private let clock: MonotonicClock
    private let state: Lock<State>

    init(clock: MonotonicClock) {
        self.clock = clock
        state = Lock(State(due: clock.now.advanced(by: Self.interval)))
    }

    /// By how much the task was late at most, or is now.
    var longestDelay: Duration {
        let now = clock.now
        return state.withLock { max($0.longest, $0.due.duration(to: now)) }
    }

    /// Runs until its task is cancelled.
    func run() async {
        while (try? await clock.sleep(until: state.withLock { $0.due })) != nil {
            let now = clock.now
            state.withLock { state in
                state.longest = max(state.longest, state.due.duration(to: now))
                state.due = now.advanced(by: Self.interval)
            }
        }
    }

    /// Whether a failure may come of this process's not having run.
    ///
    /// Silence is explained by a pause of a second that took most of the ping's time; a connection that was lost by one in
    /// which the other side may have lost its patience.
    func explains(_ failure: PingFailure, limit: Duration) -> Bool {
        switch failure.reason {
        case .timeout: longestDelay > max(.seconds(1), limit / 2)
        case .disconnected: longestDelay > max(.seconds(5), limit / 2)
        default: false
        }
    }
}
