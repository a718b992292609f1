import Failover
import FailoverAdmin
import FailoverCore
import FailoverSystem
import Glibc
import Synchronization
import UnixSignals

/// One drill, watched from before its start until clients are back.
struct DrillRun: Sendable {
    struct Request: Sendable {
        /// The alias that counts as down; `nil` is the first one of the route.
        let alias: String?
        let duration: Duration
        /// How long sessions may take to come back.
        let returnTimeout: Duration
        let isForced: Bool
        let probes: Bool
    }

    let client: DrillClient
    let configuration: Configuration
    let request: Request

    /// Runs the drill. The outcome describes everything that happens after the start. On return the drill is over. The
    /// exception is a server that cannot be reached: there the drill ends by itself.
    ///
    /// - Parameter say: receives lines that show the progress.
    /// - Throws: if no drill was started.
    func run(_ say: (String) -> Void) async throws(OperationError) -> DrillOutcome {
        // The status is read before the first login, because that counts as a client's session.
        let (route, process) = try await client.status()
        let name = request.alias ?? route.aliases.first?.name ?? ""
        guard route.alias(name) != nil else {
            throw OperationError(.administration, "route \(client.route) has no alias \(name)")
        }
        let (probe, whyNoProbes) = await probe(name, route)
        if let failure = await probe?.login().failure, !request.isForced {
            throw OperationError(.administration, "no drill: a login through \(client.route) already fails: \(failure)")
        }
        let interruption = await Interruption()
        var watch = DrillWatch(alias: name, before: route)
        let start = ContinuousClock.now
        let prober = probe.map { Prober($0, start: start) }
        do throws(OperationError) {
            say(try await client.begin(request))
        } catch {
            _ = await prober?.stop()
            throw error
        }
        let breakOff = await follow(&watch, since: start, process, prober != nil, interruption)
        var outcome = DrillOutcome(watch: watch, duration: request.duration, expectation: expectation)
        outcome.breakOff = breakOff
        outcome.probes = await prober?.stop().summary(changes: watch.changes)
        outcome.whyNoProbes = whyNoProbes
        outcome.ending = try? await client.ending()
        if watch.notBack > 0 {
            outcome.whyNotBack = try? await client.sessions().reasonsToStay(elsewhereThan: watch.home)
        }
        return outcome
    }

    /// Follows the drill until it is over and sessions are back. Ends the drill if the watch is interrupted.
    ///
    /// - Returns: what interrupted the watch, if anything.
    private func follow(
        _ watch: inout DrillWatch, since start: ContinuousClock.Instant, _ process: Int32, _ awaitsNewSession: Bool,
        _ interruption: Interruption
    ) async -> String? {
        do throws(OperationError) {
            while true {
                if let signal = interruption.signal {
                    if watch.over == nil { _ = try? await client.end() }
                    watch.saw(try await client.status().route, at: start.duration(to: .now))
                    return "interrupted by \(signal)"
                }
                let status = try await client.status()
                guard status.process == process else {
                    return Self.takenOver
                }
                let now = start.duration(to: .now)
                watch.saw(status.route, at: now)
                if isDone(watch, at: now, awaitsNewSession) { return nil }
                try? await Task.sleep(for: pause(watch, at: now))
            }
        } catch {
            return await end(in: process) ?? error.message
        }
    }

    /// Ends the drill if the server answers again within about two seconds. Otherwise the drill ends by itself.
    ///
    /// - Returns: why the server did not answer, if that is now known.
    private func end(in process: Int32) async -> String? {
        for _ in 0..<20 {
            if let status = try? await client.status() {
                guard status.process == process else { return Self.takenOver }
                _ = try? await client.end()
                return nil
            }
            try? await Task.sleep(for: .milliseconds(100))
        }
        return nil
    }

    private static let takenOver = "another process has taken over, and the drill ended with the former process"

    private func isDone(_ watch: DrillWatch, at now: Duration, _ awaitsNewSession: Bool) -> Bool {
        guard let over = watch.over else { return false }
        if now - over > request.returnTimeout { return true }
        guard watch.expectsReturn, watch.latest.alias(watch.alias)?.state == "up" else { return true }
        let isBack = watch.isServing && (watch.allBack != nil || !expectation.comeBack)
        return isBack && (watch.firstBack != nil || !awaitsNewSession)
    }

    /// The pause between two status requests. It is short around the start and the end of the drill.
    private func pause(_ watch: DrillWatch, at now: Duration) -> Duration {
        let isQuiet = watch.over == nil && now > .seconds(10) && now < request.duration - .seconds(1)
        return .milliseconds(isQuiet ? 250 : 20)
    }

    private var expectation: DrillExpectation { DrillExpectation(route: client.route, of: configuration) }

    private func probe(_ alias: String, _ route: RouteDocument) async -> (RouteProbe?, String?) {
        guard request.probes else { return (nil, "--no-probe") }
        do throws(OperationError) {
            return (
                try await RouteProbe(route: route.name, alias: alias, listeners: route.listen, of: configuration), nil
            )
        } catch {
            return (nil, error.description)
        }
    }
}

/// Records the first signal that asks this process to end. A second signal ends it at once.
final class Interruption: Sendable {
    private let first = Lock<String?>(nil)

    /// Traps the signals from now on.
    init() async {
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm, .sighup)
        Task {
            for await signal in signals {
                first.withLock { $0 = "\(signal)" }
                try? DefaultSignals.restore([SIGINT, SIGTERM, SIGHUP])
                return
            }
        }
    }

    /// The signal's name; `nil` if none has arrived.
    var signal: String? { first.withLock { $0 } }
}

/// Logs in to a route repeatedly, one login after another, until it is stopped.
final class Prober: Sendable {
    /// The state that the task shares with the caller of `stop`.
    private final class Record: Sendable {
        let tally = Lock(ProbeTally())
        let isStopped = Atomic<Bool>(false)
    }

    /// The time from the start of a login to the start of the next one, if the login has ended by then.
    private static let interval = Duration.milliseconds(100)

    private let record: Record
    private let task: Task<Void, Never>

    /// Starts the logins.
    ///
    /// - Parameter start: the time that the tally's times are relative to.
    init(_ probe: RouteProbe, start: ContinuousClock.Instant) {
        let record = Record()
        self.record = record
        task = Task {
            while !record.isStopped.load(ordering: .relaxed) {
                let began = ContinuousClock.now
                let answer = await probe.login()
                let (from, to) = (start.duration(to: began), start.duration(to: .now))
                record.tally.withLock { $0.add(answer, began: from, ended: to) }
                try? await Task.sleep(until: began + Self.interval)
            }
        }
    }

    /// Stops after the login in progress, and returns the results of all logins.
    func stop() async -> ProbeTally {
        record.isStopped.store(true, ordering: .relaxed)
        await task.value
        return record.tally.withLock { $0 }
    }
}
