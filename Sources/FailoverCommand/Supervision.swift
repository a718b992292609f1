import Failover
import FailoverSystem
import Glibc
import Logging
import UnixSignals

/// What passes between a running application and those who look after its process: signals, the service manager.
struct Supervision: Sendable {
    let log: Logger
    let applicationLog: ApplicationLog
    private let systemd = SystemdNotifier()

    init(log: Logger, applicationLog: ApplicationLog) {
        self.log = log
        self.applicationLog = applicationLog
    }

    /// Hears how it goes.
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

    /// Until the task is cancelled.
    ///
    /// - Parameter hangUps: trapped before the application runs: who is told that it serves may ask for a reload at once.
    func watch(_ application: FailoverApplication, _ hangUps: UnixSignalsSequence) async {
        await withDiscardingTaskGroup { group in
            group.addTask { await reload(application, on: hangUps) }
            if let interval = systemd.watchdogInterval {
                // sd_watchdog_enabled(3) recommends half of it.
                group.addTask { await keepAlive(application, every: interval / 2) }
            }
            if FirstProcess.isThisOne { group.addTask { await reapOrphans() } }
        }
    }

    /// Loads the configuration anew at each SIGHUP. What came of it is in the log.
    private func reload(_ application: FailoverApplication, on hangUps: UnixSignalsSequence) async {
        for await _ in hangUps {
            systemd.reloading()
            await application.reload()
            systemd.ready("serving")
        }
    }

    /// Only while the event loops turn: a process that serves nobody is to be restarted.
    private func keepAlive(_ application: FailoverApplication, every interval: Duration) async {
        while !Task.isCancelled {
            if await application.isTurning() { systemd.alive() }
            try? await Task.sleep(for: interval)
        }
    }

    /// What hooks leave running ends as a child of the first process.
    private func reapOrphans() async {
        while !Task.isCancelled {
            FirstProcess.reapOrphans()
            try? await Task.sleep(for: .seconds(1))
        }
    }
}
