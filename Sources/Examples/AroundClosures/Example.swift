import Failover
import Logging

/// An application that uses a cache and works without it while it is down: `AroundClosures HOST PORT` of a memcached
/// server.
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

        // As a web application does around each request. Due services are pinged first. An error of a listed type
        // that the closure throws has the services pinged at once.
        let page = await monitor.monitoring {
            monitor.status(of: "cache")?.isUp == true ? "a page from the cache" : "a page built without the cache"
        }
        print(page)

        // As a batch job does that needs its services: services that are down are pinged again first.
        await monitor.recoveringFromOutages {
            print("cache is \(monitor.status(of: "cache")?.isUp == true ? "up" : "down")")
        }
        await monitor.cleanup()
    }
}
