package import FailoverCore
import FailoverMonitor
import FailoverSystem

/// A service that counts its calls and is up or down as the test says.
package final class CountedService: Service {
    private struct State {
        var isUp = true
        var calls: [String] = []
        var isHeld = false
        var held: [CheckedContinuation<Void, Never>] = []
    }

    package struct Down: Error {}

    package let name: String
    package let settings: MonitorSettings
    private let state = Lock(State())

    package init(_ name: String, settings: MonitorSettings = MonitorSettings()) {
        self.name = name
        self.settings = settings
    }

    package var calls: [String] { state.withLock { $0.calls } }
    package var pings: Int { calls.count { $0 == "ping" } }

    package func setUp(_ isUp: Bool) { state.withLock { $0.isUp = isUp } }

    /// Makes pings wait for ``letGo()``.
    package func hold() { state.withLock { $0.isHeld = true } }

    package func letGo() {
        let held = state.withLock { state in
            defer { state.held = [] }
            state.isHeld = false
            return state.held
        }
        for continuation in held { continuation.resume() }
    }

    package func ping() async throws {
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

    package func failover() async throws { state.withLock { $0.calls.append("failover") } }
    package func recover() async throws { state.withLock { $0.calls.append("recover") } }
    package func cleanup() async { state.withLock { $0.calls.append("cleanup") } }
}
