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
}

extension PingFailure.Reason {
    /// Whether it may come of this side's not having run.
    var mayBeOfTime: Bool {
        switch self {
        case .timeout, .disconnected: true
        default: false
        }
    }
}
