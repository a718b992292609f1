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
            On SIGTERM and SIGINT it accepts no more clients, lets sessions end for shutdown_grace, closes the others \
            and exits with status 0. A second signal ends it at once. SIGHUP reloads the configuration: all of it \
            takes effect, or none of it. Under systemd it serves the sockets of a socket unit, and reports when it is \
            ready and that it is alive.
            """)

    @OptionGroup var file: ConfigurationOption

    @Flag(
        help: """
            Take over from the running failover with the same takeover_socket: its listeners stay open, and its \
            sessions end by themselves or move here. If there is none, start as usual.
            """)
    var takeover = false

    func run() async throws {
        MemoryDumps.forbid()
        let configuration = try file.load()
        // If the reader of the log exits, this process must continue.
        signal(SIGPIPE, SIG_IGN)
        // SIGHUP is ignored until `watch` handles it.
        signal(SIGHUP, SIG_IGN)
        if FirstProcess.isThisOne { FirstProcess.end(on: [SIGTERM, SIGINT]) }
        let applicationLog = ApplicationLog(configuration.log)
        let log = applicationLog.logger
        defer { applicationLog.flush() }
        let supervision = Supervision(log: log, applicationLog: applicationLog)
        do {
            let application = try await FailoverApplication(
                configuration, log: log,
                source: { @Sendable [path = file.config] in try Configuration.load(path: path) },
                inherited: try inheritance(configuration, log), tell: supervision.tell)
            log.info("starting", metadata: ["version": "\(failoverVersion)", "config": "\(file.config)"])
            try await Self.run(application, supervision, log)
            log.info("stopped")
        } catch {
            log.critical("\(error)")
            throw ExitCode(1)
        }
    }

    private func inheritance(_ configuration: Configuration, _ log: Logger) throws -> HandoverSockets {
        guard takeover else { return .fromServiceManager() }
        if let inheritance = try HandoverSockets.takingOver(configuration) { return inheritance }
        log.notice("there is no process to take over from")
        return HandoverSockets()
    }

    private static func run(
        _ application: FailoverApplication, _ supervision: Supervision, _ log: Logger
    ) async throws {
        var quiet = log
        quiet.logLevel = .warning
        let service = ServiceGroupConfiguration.ServiceConfiguration(
            // The application ends by itself when another process has taken over.
            service: application, successTerminationBehavior: .gracefullyShutdownGroup)
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [service], gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet))
        let hangUps = await UnixSignalsSequence(trapping: .sighup)
        let watching = Task { await supervision.watch(application, hangUps) }
        defer { watching.cancel() }
        try await group.run()
    }
}
