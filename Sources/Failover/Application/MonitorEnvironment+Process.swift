import FailoverCore
import FailoverSystem
import Glibc
import Logging
import Metrics

extension MonitorEnvironment {
    /// The real clocks, this machine's name and this process's number.
    static func ofThisProcess(
        log: Logger, metrics: any MetricsFactory = MetricsSystem.factory
    ) -> MonitorEnvironment {
        MonitorEnvironment(timeOfDay: { .now }, log: log, host: hostName, processID: getpid(), metrics: metrics)
    }

    private static var hostName: String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "unknown" }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
