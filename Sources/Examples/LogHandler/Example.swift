import Failover
import Foundation
import Logging

/// An application that logs its errors. The log handler detects that one of them suggests an outage: `LogHandler HOST
/// PORT` of any server that listens.
@main
enum Example {
    static func main() async throws {
        let words = CommandLine.arguments
        guard words.count == 3, let port = UInt16(words[2]) else {
            print("usage: \(words[0]) HOST PORT")
            return
        }
        let (events, event) = AsyncStream.makeStream(of: FailoverEvent.self)
        let monitor = ServiceMonitor { event.yield($0) }
        try monitor.register(TCPService(name: "search", endpoint: .tcp(host: words[1], port: port)))
        LoggingSystem.bootstrap { label in
            FailoverLogHandler(StreamLogHandler.standardError(label: label), monitor: monitor)
        }

        let log = Logger(label: "application")
        log.error("not found", error: CocoaError(.fileReadNoSuchFile))
        print("after an error of another kind search is \(state(of: monitor))")
        log.error("search failed", error: POSIXError(.ECONNREFUSED))
        for await event in events {
            print(event.message.prefix { $0 != "(" }, "\(event.failure?.reason ?? .other)")
            break
        }
        await monitor.cleanup()
    }

    static func state(of monitor: ServiceMonitor) -> String {
        monitor.status(of: "search")?.isUp == true ? "up" : "down"
    }
}
