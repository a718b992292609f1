import FailoverCore
import FailoverTesting
import FoundationEssentials
import Glibc
import Logging
import SystemPackage
import Testing

@testable import FailoverMonitor

@Suite("A logged error requests pings", .timeLimit(.minutes(5)))
struct FailoverLogHandlerTests {
    private struct Unlisted: Error {}
    private let cache = CountedService("cache")
    private let passedOn = CapturedLog()
    private let monitor: ServiceMonitor

    init() throws {
        monitor = ServiceMonitor(log: CapturedLog().logger)
        try monitor.register(cache)
    }

    private func logger(_ triggers: ErrorTriggers? = nil) -> Logger {
        let handler = passedOn.logger.handler
        return Logger(label: "test") { _ in FailoverLogHandler(handler, monitor: monitor, triggers: triggers) }
    }

    @Test func everyEventIsPassedOn() {
        var logger = logger()
        logger[metadataKey: "request"] = "1"
        logger.info("one")
        logger.debug("below the level")
        logger.error("two", error: Unlisted())
        #expect(passedOn.lines == ["info one", "error two"])
        #expect(logger[metadataKey: "request"] == "1")
        #expect(logger.logLevel == .info)
    }

    @Test func aListedErrorPings() async {
        logger().error("query failed", error: PingFailure(.refused, "connection refused"))
        #expect(await eventually { cache.pings == 1 })
    }

    @Test func anUnlistedErrorDoesNot() async {
        logger().error("bad input", error: Unlisted())
        logger().error("no error at all")
        logger().error("now one that counts", error: POSIXError(.ECONNREFUSED))
        #expect(await eventually { cache.pings == 1 })
        #expect(passedOn.lines.count == 3)
    }

    @Test func theUserMayReplaceTheList() async {
        let logger = logger(ErrorTriggers().adding(Unlisted.self))
        logger.error("not any more", error: PingFailure(.refused, "connection refused"))
        #expect(cache.pings == 0)
        logger.error("but this", error: Unlisted())
        #expect(await eventually { cache.pings == 1 })
    }

    @Test(arguments: [
        (PostgresError(sqlState: nil, message: "connection refused") as any Error, true),
        (PostgresError(sqlState: "57P01", message: "terminating connection"), true),
        (PostgresError(sqlState: "42601", message: "syntax error"), false),
        (MySQLError(code: 2013, message: "Lost connection"), true),
        (MySQLError(code: 1064, message: "syntax error"), false),
        (POSIXError(.ECONNRESET), true),
        (POSIXError(.ENOENT), false),
        (Errno.timedOut, true),
        (Errno.noSuchFileOrDirectory, false),
        (PingFailure(.other, ""), true),
        (Unlisted(), false),
    ])
    func theDefaultListHasConnectionErrors(_ error: any Error, isListed: Bool) {
        #expect(ErrorTriggers.default.matches(error) == isListed)
        #expect(ErrorTriggers.default.adding(Unlisted.self).matches(error) == (isListed || error is Unlisted))
    }
}
