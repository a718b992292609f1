import Failover
import Logging

/// Asks a cache, and does without while it is down: `AroundClosures HOST PORT` of a memcached server.
@main
enum Example {
    static func main() async throws {
        let words = CommandLine.arguments
        guard words.count == 3, let port = UInt16(words[2]) else {
            print("usage: \(words[0]) HOST PORT")
            return
        }
        let monitor = ServiceMonitor(log: Logger(label: "example"))
        try monitor.register(
            MemcachedService(name: "cache", servers: [.tcp(host: words[1], port: port)]))

        // As a web application would around each request: what is due is pinged first, and an error of a listed type
        // that the closure throws has the services pinged at once.
        let page = await monitor.monitoring {
            monitor.status(of: "cache")?.isUp == true ? "a page from the cache" : "a page made anew"
        }
        print(page)

        // As a batch job would, which is worth nothing without its services: those that are down get another chance.
        await monitor.recoveringFromOutages {
            print("cache is \(monitor.status(of: "cache")?.isUp == true ? "up" : "down")")
        }
        await monitor.cleanup()
    }
}
