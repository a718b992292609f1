import FailoverCore

/// Events for tests.
enum Events {
    static let refused = PingFailure(.refused, "10.0.0.2:5432: Connection refused")

    static func event(
        _ kind: FailoverEvent.Kind, service: String = "slave", currentAlias: String? = nil, second: Int = 1_767_323_045,
        isTest: Bool = false
    ) -> FailoverEvent {
        FailoverEvent(
            service: service, kind: kind, time: WallTime(sinceEpoch: .seconds(second)), host: "web1", processID: 42,
            currentAlias: currentAlias, isTest: isTest)
    }

    static func outage(_ service: String = "slave", second: Int = 0) -> FailoverEvent {
        event(.outage(refused), service: service, second: second)
    }

    static func recovery(_ service: String = "slave", second: Int = 0) -> FailoverEvent {
        event(.recovery(after: .seconds(245)), service: service, second: second)
    }

    static func reminder(_ service: String = "slave", second: Int = 0) -> FailoverEvent {
        event(.reminder(refused, lasting: .seconds(3600)), service: service, second: second)
    }
}
