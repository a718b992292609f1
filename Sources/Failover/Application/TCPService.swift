import FailoverChecks
import FailoverCore

/// A TCP port that is pinged by connecting to it. Notify-only.
struct TCPService: TimedService {
    let name: String
    let check: TCPCheck

    func ping(limit: Duration) async throws { try await check.ping(limit: limit) }
}
