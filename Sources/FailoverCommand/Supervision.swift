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
    /// - Parameter hangUps: the SIGHUP signals. They are trapped before the application runs, because a reload may be
    ///   requested as soon as the application reports that it serves.
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

    /// Reloads the configuration at each SIGHUP. The result is logged.
    private func reload(_ application: FailoverApplication, on hangUps: UnixSignalsSequence) async {
        for await _ in hangUps {
            systemd.reloading()
            await application.reload()
            systemd.ready("serving")
        }
    }

    /// Tells the service manager that the process is alive, but only while the event loops run: a process that serves
    /// no clients should be restarted.
    private func keepAlive(_ application: FailoverApplication, every interval: Duration) async {
        while !Task.isCancelled {
            if await application.isTurning() { systemd.alive() }
            try? await Task.sleep(for: interval)
        }
    }

    /// Reaps orphans: a process that a hook left running becomes a child of the first process.
    private func reapOrphans() async {
        while !Task.isCancelled {
            FirstProcess.reapOrphans()
            try? await Task.sleep(for: .seconds(1))
        }
    }
}
