package import FailoverCore

/// A state machine with a clock that the test moves.
package struct MachineUnderTest {
    package var machine: ServiceStateMachine
    package var now = MonotonicTime.zero

    package static let refused = PingFailure(.refused, "127.0.0.1:5433: Connection refused")
    /// An error that is sufficient to suspect the service.
    package static let error = ObservedError(
        kind: .connectRefused, session: 1, detail: "127.0.0.1:5433: Connection refused")

    /// An error that a client may have caused.
    package static func reset(session: UInt64) -> ObservedError {
        ObservedError(kind: .reset, session: session, detail: "127.0.0.1:5433: Connection reset by peer")
    }

    package init(_ settings: MonitorSettings = MonitorSettings()) {
        machine = ServiceStateMachine(settings: settings)
    }

    package mutating func after(_ duration: Duration) { now = now.advanced(by: duration) }

    package mutating func trigger(_ trigger: PingTrigger) -> [ServiceAction] {
        machine.trigger(trigger, now: now)
    }

    package mutating func answer(_ failure: PingFailure? = nil) -> [ServiceAction] {
        machine.pingFinished(PingAnswer(failure: failure), now: now)
    }

    /// Moves the clock to the machine's next wake, starts the ping that is due, and reports its result.
    @discardableResult
    package mutating func nextPing(_ failure: PingFailure? = nil) -> [ServiceAction] {
        var actions: [ServiceAction] = []
        while !actions.contains(where: \.isPing) {
            if let wake = machine.nextWake(after: now), wake > now { now = wake }
            actions = trigger(.timer)
        }
        return answer(failure)
    }

    /// The time until the next ping may start.
    package var pause: Duration? { machine.nextPing.map { now.duration(to: $0) } }

    package var isUp: Bool { machine.status(now: now).isUp }
    package var standing: ServiceStanding { machine.standing(now: now) }
    package var isSuspect: Bool { machine.status(now: now).isSuspect }
}

extension ServiceAction {
    /// An action that starts a ping with only a time limit.
    package static func startPing(limit: Duration) -> Self { .startPing(PingRequest(limit: limit)) }

    package var isPing: Bool { if case .startPing = self { true } else { false } }
}
