import Failover
import Logging
import ServiceLifecycle
import UnixSignals

/// A program that contains its proxy, and starts and stops with it: `EmbeddedProxy FILE`, with a configuration file
/// as for `failover serve`.
@main
enum Example {
    static func main() async throws {
        guard CommandLine.arguments.count == 2 else {
            print("usage: \(CommandLine.arguments[0]) FILE")
            return
        }
        let log = Logger(label: "example")
        let proxy = try await FailoverApplication(Configuration.load(path: CommandLine.arguments[1]), log: log)
        let group = ServiceGroup(
            services: [proxy, Application(proxy: proxy, log: log)], gracefulShutdownSignals: [.sigterm, .sigint],
            logger: log)
        try await group.run()
        print("the end")
    }
}

/// The program's own work. It connects to the proxy's address as to a database.
struct Application: ServiceLifecycle.Service {
    let proxy: FailoverApplication
    let log: Logger

    func run() async throws {
        for (route, addresses) in proxy.addresses {
            log.info("connect here", metadata: ["route": "\(route)", "address": "\(addresses[0])"])
        }
        try await gracefulShutdown()
    }
}
