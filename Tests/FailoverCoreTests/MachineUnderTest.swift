import FailoverCore

/// A state machine with a clock that the test moves.
struct MachineUnderTest {
    var machine: ServiceStateMachine
    var now = MonotonicTime.zero

    static let refused = PingFailure(.refused, "127.0.0.1:5433: Connection refused")
    /// An error that is enough to suspect the service.
    static let error = ObservedError(kind: .connectRefused, session: 1, detail: "127.0.0.1:5433: Connection refused")

    /// An error that a client may have caused.
    static func reset(session: UInt64) -> ObservedError {
        ObservedError(kind: .reset, session: session, detail: "127.0.0.1:5433: Connection reset by peer")
    }

    init(_ settings: MonitorSettings = MonitorSettings()) {
        machine = ServiceStateMachine(settings: settings)
    }

    mutating func after(_ duration: Duration) { now = now.advanced(by: duration) }

    mutating func trigger(_ trigger: ServiceStateMachine.Trigger) -> [ServiceStateMachine.Action] {
        machine.trigger(trigger, now: now)
    }

    mutating func answer(_ failure: PingFailure? = nil) -> [ServiceStateMachine.Action] {
        machine.pingFinished(PingResult(failure: failure, duration: .milliseconds(1)), now: now)
    }

    /// Moves the clock to the machine's next wake, starts the ping that is due, and answers it.
    @discardableResult
    mutating func nextPing(_ failure: PingFailure? = nil) -> [ServiceStateMachine.Action] {
        var actions: [ServiceStateMachine.Action] = []
        while !actions.contains(where: \.isPing) {
            if let wake = machine.nextWake(after: now), wake > now { now = wake }
            actions = trigger(.timer)
        }
        return answer(failure)
    }

    /// The time until the next ping may start.
    var pause: Duration? { machine.nextPing.map { now.duration(to: $0) } }

    var isUp: Bool { machine.status(now: now).isUp }
    var standing: ServiceStanding { machine.standing(now: now) }
    var isSuspect: Bool { machine.status(now: now).isSuspect }
}

extension ServiceStateMachine.Action {
    var isPing: Bool { if case .startPing = self { true } else { false } }
}
