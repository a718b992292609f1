import ArgumentParser
import Failover
import FailoverSystem
import Glibc
import Logging
import ServiceLifecycle
import UnixSignals

/// `failover serve`
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Monitor the services and serve the routes.",
        discussion: """
            SIGTERM and SIGINT stop accepting, let sessions end for shutdown_grace, then close them and exit with 0. \
            A second one ends at once. SIGHUP loads the configuration anew: all of it takes effect, or nothing of it.
            """)

    @OptionGroup var file: ConfigurationOption

    func run() async throws {
        let configuration = try file.load()
        // Whoever reads the log may go away; that must not end the process.
        signal(SIGPIPE, SIG_IGN)
        let applicationLog = ApplicationLog(configuration.log)
        let log = applicationLog.logger
        defer { applicationLog.flush() }
        let source = { @Sendable [path = file.config] in try Configuration.load(path: path) }
        do {
            let application = try await FailoverApplication(
                configuration, log: log, source: source,
                whenReloaded: { applicationLog.setLevel($0.log.level) }
            ) {
                do {
                    try DefaultSignals.restore([SIGTERM, SIGINT])
                } catch {
                    log.warning("a second signal may not end the process", metadata: ["error": "\(error)"])
                }
            }
            log.info("starting", metadata: ["version": "\(failoverVersion)", "config": "\(file.config)"])
            let reloads = Task { await reloadOnHangUp(application) }
            defer { reloads.cancel() }
            try await Self.run(application, log: log)
            log.info("stopped")
        } catch {
            log.critical("\(error)")
            throw ExitCode(1)
        }
    }

    private static func run(_ application: FailoverApplication, log: Logger) async throws {
        var quiet = log
        quiet.logLevel = .warning
        let group = ServiceGroup(
            services: [application], gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet)
        try await group.run()
    }
}
