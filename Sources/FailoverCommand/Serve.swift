import ArgumentParser
import Failover
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
            A second one ends at once.
            """)

    @OptionGroup var file: ConfigurationOption

    func run() async throws {
        let configuration = try file.load()
        let applicationLog = ApplicationLog(configuration.log)
        let log = applicationLog.logger
        defer { applicationLog.flush() }
        do {
            let application = try await ProxyApplication(configuration, log: log)
            log.info("starting", metadata: ["version": "\(failoverVersion)", "config": "\(file.config)"])
            try await Self.run(application, log: log)
            log.info("stopped")
        } catch {
            log.critical("\(error)")
            throw ExitCode(1)
        }
    }

    private static func run(_ application: ProxyApplication, log: Logger) async throws {
        var quiet = log
        quiet.logLevel = .warning
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                // Stopped in reverse: signals are watched until the application has ended.
                services: [
                    .init(service: SecondSignal(log: log)),
                    .init(service: application, successTerminationBehavior: .gracefullyShutdownGroup),
                ],
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: quiet))
        try await group.run()
    }
}

/// Ends the process at once when a second signal says that waiting is over.
private struct SecondSignal: ServiceLifecycle.Service {
    let log: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown { await watch() }
    }

    private func watch() async {
        var count = 0
        for await signal in await UnixSignalsSequence(trapping: .sigterm, .sigint) {
            count += 1
            guard count == 2 else { continue }
            log.warning("a second signal, ending at once", metadata: ["signal": "\(signal)"])
            exit(1)
        }
    }
}
