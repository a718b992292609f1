import Failover
import UnixSignals

/// Loads the configuration anew at each SIGHUP, until the task is cancelled. What came of it is in the log.
func reloadOnHangUp(_ application: FailoverApplication) async {
    for await _ in await UnixSignalsSequence(trapping: .sighup) { await application.reload() }
}
