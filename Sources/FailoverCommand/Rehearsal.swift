import Failover
import FailoverAdmin
import FailoverCore

/// One drill, watched from before its beginning until clients are back.
struct Rehearsal: Sendable {
    struct Request: Sendable {
        /// The route's own unless given.
        let alias: String?
        let duration: Duration
        /// How long sessions may take to come back.
        let patience: Duration
        let isForced: Bool
        let probes: Bool
    }

    let client: DrillClient
    let configuration: Configuration
    let request: Request

    /// Drills. Whatever happens once it has begun is told by the outcome; the drill is over then, unless the server can't
    /// be reached to end it: it ends it by itself.
    ///
    /// - Parameter say: is given lines for whoever waits.
    /// - Throws: when there was no drill.
    func run(_ say: (String) -> Void) async throws(AdminClientError) -> DrillOutcome {
        // Before the first login, which would count as a session of a client.
        let (route, process) = try await client.status()
        let name = request.alias ?? route.aliases.first?.name ?? ""
        guard route.alias(name) != nil else {
            throw AdminClientError(words: "route \(client.route) has no alias \(name)")
        }
        let (probe, whyNoProbes) = await probe(name, route)
        if let failure = await probe?.login().failure, !request.isForced {
            throw AdminClientError(words: "no drill: \(client.route) takes no login as things are: \(failure)")
        }
        let interruption = await Interruption()
        var watch = DrillWatch(alias: name, before: route)
        let start = ContinuousClock.now
        let prober = probe.map { Prober($0, start: start) }
        do throws(AdminClientError) {
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

    /// Follows the drill to its end and back; ends it when that is broken off.
    ///
    /// - Returns: what broke it off, if anything.
    private func follow(
        _ watch: inout DrillWatch, since start: ContinuousClock.Instant, _ process: Int32, _ awaitsNewSession: Bool,
        _ interruption: Interruption
    ) async -> String? {
        do throws(AdminClientError) {
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
            return await end(in: process) ?? error.words
        }
    }

    /// Ends the drill when the server answers again, if that is soon. Else it ends by itself.
    ///
    /// - Returns: why there was no answer, if that is known then.
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

    private static let takenOver = "another process has taken over, and the drill ended with the former one"

    private func isDone(_ watch: DrillWatch, at now: Duration, _ awaitsNewSession: Bool) -> Bool {
        guard let over = watch.over else { return false }
        if now - over > request.patience { return true }
        guard watch.expectsReturn, watch.latest.alias(watch.alias)?.state == "up" else { return true }
        let isBack = watch.isServing && (watch.allBack != nil || !expectation.comeBack)
        return isBack && (watch.firstBack != nil || !awaitsNewSession)
    }

    /// Between two looks: short around the changes.
    private func pause(_ watch: DrillWatch, at now: Duration) -> Duration {
        let isQuiet = watch.over == nil && now > .seconds(10) && now < request.duration - .seconds(1)
        return .milliseconds(isQuiet ? 250 : 20)
    }

    private var expectation: DrillExpectation { DrillExpectation(route: client.route, of: configuration) }

    private func probe(_ alias: String, _ route: RouteDocument) async -> (RouteProbe?, String?) {
        guard request.probes else { return (nil, "not wanted") }
        do throws(RouteProbe.Impossible) {
            return (
                try await RouteProbe(route: route.name, alias: alias, listeners: route.listen, of: configuration), nil
            )
        } catch {
            return (nil, error.description)
        }
    }
}
