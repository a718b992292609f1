import FailoverCore

/// A service that counts what is asked of it and is as well as the test says.
final class CountedService: Service {
    private struct State {
        var isUp = true
        var calls: [String] = []
        var isHeld = false
        var held: [CheckedContinuation<Void, Never>] = []
    }

    struct Down: Error {}

    let name: String
    let settings: MonitorSettings
    private let state = Lock(State())

    init(_ name: String, settings: MonitorSettings = MonitorSettings()) {
        self.name = name
        self.settings = settings
    }

    var calls: [String] { state.withLock { $0.calls } }
    var pings: Int { calls.count { $0 == "ping" } }

    func setUp(_ isUp: Bool) { state.withLock { $0.isUp = isUp } }

    /// From now on pings wait for ``letGo()``.
    func hold() { state.withLock { $0.isHeld = true } }

    func letGo() {
        let held = state.withLock { state in
            defer { state.held = [] }
            state.isHeld = false
            return state.held
        }
        for continuation in held { continuation.resume() }
    }

    func ping() async throws {
        state.withLock { $0.calls.append("ping") }
        await withCheckedContinuation { continuation in
            let isHeld = state.withLock { state in
                if state.isHeld { state.held.append(continuation) }
                return state.isHeld
            }
            if !isHeld { continuation.resume() }
        }
        if !state.withLock({ $0.isUp }) { throw Down() }
    }

    func failover() async throws { state.withLock { $0.calls.append("failover") } }
    func recover() async throws { state.withLock { $0.calls.append("recover") } }
    func cleanup() async { state.withLock { $0.calls.append("cleanup") } }
}
