import FailoverChecks
import FailoverCore
import FailoverMonitor

/// A monitored service whose outages move routes, close them and publish settings.
struct ControlledService: AnsweringService {
    let base: any FailoverMonitor.Service
    let unit: ControlState.Unit
    let control: ControlPlane
    let writer: SettingsWriter

    var name: String { base.name }
    var settings: MonitorSettings { base.settings }
    var replication: ReplicationPolicy? { (base as? any AnsweringService)?.replication }

    func answer(_ request: PingRequest) async -> PingAnswer { await base.answered(request) }

    /// Routes move first. The next steps run even if one of them fails: a failed write of the settings must not prevent
    /// the hook.
    func failover(because failure: PingFailure) async throws {
        control.outage(failure, of: unit)
        let problem = await problemOfWriting()
        try await base.failover(because: failure)
        if let problem { throw problem }
    }

    func recover() async throws {
        control.recovery(of: unit)
        let problem = await problemOfWriting()
        try await base.recover()
        if let problem { throw problem }
    }

    func cleanup() async { await base.cleanup() }

    private func problemOfWriting() async -> (any Error)? {
        do {
            try await writer.write(control.settingsVersion) { [control] in control.settings }
            return nil
        } catch {
            return error
        }
    }
}

/// A database alias. Its driver pings the server.
struct DatabaseAliasService: AnsweringService {
    let name: String
    let settings: MonitorSettings
    let replication: ReplicationPolicy?
    let check: ServerCheck

    func answer(_ request: PingRequest) async -> PingAnswer { await check.answer(request) }
}
