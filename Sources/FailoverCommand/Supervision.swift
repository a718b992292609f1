import Failover
import FailoverSystem
import Glibc
import Logging
import UnixSignals

/// Connects a running application to its environment: signals and the service manager.
struct Supervision: Sendable {
    let log: Logger
    let applicationLog: ApplicationLog
    private let systemd = SystemdNotifier()

    init(log: Logger, applicationLog: ApplicationLog) {
        self.log = log
        self.applicationLog = applicationLog
    }

    /// Receives the application's changes of state.
    func tell(_ lifecycle: Lifecycle) {
        switch lifecycle {
        case .serving: systemd.ready("serving")
        case .reloaded(let configuration):
            applicationLog.setLevel(configuration.log.level)
            systemd.ready("serving")
        case .stopping:
            systemd.stopping()
            do {
                try DefaultSignals.restore([SIGTERM, SIGINT])
            } catch {
                log.warning("a second signal may not end the process", metadata: ["error": "\(error)"])
            }
        }
    }

    /// Runs until the task is cancelled.
    ///
    /// - Parameter hangUps: trapped before the application runs, because a reload may be requested as soon as it
    ///   reports that it serves.
    func watch(_ application: FailoverApplication, _ hangUps: UnixSignalsSequence) async {
        await withDiscardingTaskGroup { group in
            group.addTask { await reload(application, on: hangUps) }
            if let interval = systemd.watchdogInterval {
                // sd_watchdog_enabled(3) recommends half the interval.
                group.addTask { await keepAlive(application, every: interval / 2) }
            }
            if FirstProcess.isThisOne { group.addTask { await reapOrphans() } }
        }
    }

    /// Reloads the configuration at each SIGHUP. The result is in the log.
    private func reload(_ application: FailoverApplication, on hangUps: UnixSignalsSequence) async {
        for await _ in hangUps {
            systemd.reloading()
            await application.reload()
            systemd.ready("serving")
        }
    }

    /// Reports only while the event loops run: the service manager should restart a process that serves no clients.
    private func keepAlive(_ application: FailoverApplication, every interval: Duration) async {
        while !Task.isCancelled {
            if await application.isTurning() { systemd.alive() }
            try? await Task.sleep(for: interval)
        }
    }

    /// Processes that hooks leave running become children of the first process when they are orphaned.
    private func reapOrphans() async {
        while !Task.isCancelled {
            FirstProcess.reapOrphans()
            try? await Task.sleep(for: .seconds(1))
        }
    }
}
