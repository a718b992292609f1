import FailoverCore
import FailoverSystem
import FailoverTesting
import Glibc
import Testing

@testable import FailoverProxy

@Suite("Peers that do not take what is sent to them", .timeLimit(.minutes(5)))
struct PeerTimeoutsTests {
    private let timeouts = PeerTimeouts(SessionSettings(tcpUserTimeout: .seconds(30)))

    private func stalled(sinceAcknowledgement: UInt32, sinceData: UInt32) -> PeerProgress {
        PeerProgress(
            unacknowledged: 0, unsent: 100, sinceAcknowledgement: sinceAcknowledgement, sinceData: sinceData)
    }

    @Test func whoHasAllIsOwedNothing() {
        let progress = PeerProgress(
            unacknowledged: 0, unsent: 0, sinceAcknowledgement: 1_000_000, sinceData: 1_000_000)
        #expect(timeouts.verdict(on: progress, stalledFor: nil) == .nothingOwed)
    }

    @Test func bytesUnderWayAreTheKernelsToWatch() {
        let progress = PeerProgress(unacknowledged: 1, unsent: 100, sinceAcknowledgement: 29_000, sinceData: 29_000)
        #expect(timeouts.verdict(on: progress, stalledFor: nil) == .underWay)
    }

    @Test func aPeerWithoutRoomThatAcknowledgesIsThereHoweverLongItTakes() {
        for passed: UInt32 in [1000, 45_000, 3_600_000] {
            #expect(
                timeouts.verdict(on: stalled(sinceAcknowledgement: 15_000, sinceData: passed), stalledFor: 3_600_000)
                    == .stalled(userTimeout: Int32(passed) + 15_000))
        }
    }

    @Test func aPeerWithoutRoomThatDoesNotAnswerIsGivenUpWithinTheTimeout() {
        #expect(
            timeouts.verdict(on: stalled(sinceAcknowledgement: 26_250, sinceData: 45_000), stalledFor: 3750) == .silent)
        #expect(
            timeouts.verdict(on: stalled(sinceAcknowledgement: 26_249, sinceData: 45_000), stalledFor: 3750)
                == .stalled(userTimeout: 60_000))
    }

    /// Nothing was owed during that time.
    @Test func whatPassedBeforeThePeerHadNoRoomDoesNotCount() {
        let timeouts = PeerTimeouts(SessionSettings(tcpUserTimeout: .seconds(30), stallTimeout: .seconds(60)))
        let longAgo = stalled(sinceAcknowledgement: 900_000, sinceData: 900_000)
        #expect(timeouts.verdict(on: longAgo, stalledFor: nil) == .stalled(userTimeout: 915_000))
        let answered = stalled(sinceAcknowledgement: 500, sinceData: 903_750)
        #expect(timeouts.verdict(on: answered, stalledFor: 3750) == .stalled(userTimeout: 918_750))
    }

    @Test func stallTimeoutBoundsThoseThatAcknowledge() {
        let settings = SessionSettings(tcpUserTimeout: nil, stallTimeout: .seconds(60))
        let timeouts = PeerTimeouts(settings)
        let waiting = stalled(sinceAcknowledgement: 40_000, sinceData: 900_000)
        #expect(timeouts.verdict(on: waiting, stalledFor: nil) == .stalled(userTimeout: nil))
        #expect(timeouts.verdict(on: waiting, stalledFor: 59_999) == .stalled(userTimeout: nil))
        #expect(timeouts.verdict(on: waiting, stalledFor: 60_000) == .tooLong)
        #expect(timeouts.interval == 7_500_000_000)
        #expect(PeerTimeouts(SessionSettings(tcpUserTimeout: nil)).interval == nil)
    }

    @Test func extremeTimesDoNotTrap() {
        let timeouts = PeerTimeouts(
            SessionSettings(tcpUserTimeout: .milliseconds(Int32.max), stallTimeout: .seconds(365 * 86400)))
        #expect(
            timeouts.verdict(on: stalled(sinceAcknowledgement: 0, sinceData: .max - 1), stalledFor: .max)
                == .tooLong)
        let shortest = PeerTimeouts(SessionSettings(tcpUserTimeout: .milliseconds(1)))
        let longest = shortest.verdict(on: stalled(sinceAcknowledgement: 0, sinceData: .max), stalledFor: 1)
        #expect(longest == .stalled(userTimeout: .max))
        #expect(shortest.interval == 125_000)
    }

    @Test func aServerThatDoesNotReadForLongerThanTheUserTimeoutIsNotCut() async throws {
        let size = 24_000_000
        let backend = EchoBackend(play: { client in
            // Waits for three times the limit for silence.
            client.holdOpen(milliseconds: 6000)
            client.send(Array("\(client.receive(atLeast: size).count)".utf8))
            client.receiveToEnd()
        })
        let proxy = try ProxyUnderTest(
            ports: [backend.port], session: SessionSettings(tcpUserTimeout: .seconds(2)))
        let client = try await proxy.connect()
        try await client.send([UInt8](repeating: 1, count: size))
        #expect(try await client.receiveText(8) == "\(size)")
        #expect(proxy.failures.isEmpty)
        await proxy.server.stop(grace: .zero)
    }

    @Test func aClientThatTakesNothingIsClosedAfterStallTimeout() async throws {
        let backend = EchoBackend(play: { client in
            let block = [UInt8](repeating: 7, count: 1 << 16)
            while client.send(block) {}
        })
        let proxy = try ProxyUnderTest(
            ports: [backend.port], session: SessionSettings(stallTimeout: .milliseconds(1500)))
        let client = try await proxy.connect()
        #expect(try await client.receive(1) == [7])
        #expect(await eventually { proxy.server.sessionCount == 0 })
        #expect(proxy.failures.isEmpty)
        await proxy.server.stop(grace: .zero)
    }

    @Test func clientsInheritTheListenersWatch() throws {
        let listener = try ListeningSocket.open(
            .loopback(port: 0), access: UnixSocketAccess(),
            settings: SessionSettings(tcpUserTimeout: .seconds(7), keepalive: .seconds(9)))
        let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(client) }
        #expect(listener.address.withSocketAddress { connect(client, $0, $1) } == 0)
        let accepted = Descriptor(owning: accept(listener.descriptor.raw, nil, nil))
        func option(_ level: Int32, _ name: Int32) -> Int32 {
            var value: Int32 = 0
            var length = socklen_t(MemoryLayout<Int32>.size)
            getsockopt(accepted.raw, level, name, &value, &length)
            return value
        }
        #expect(option(Int32(IPPROTO_TCP), TCP_USER_TIMEOUT) == 7000)
        // Half of the user timeout. Each of the three probes gets a third of the rest.
        #expect(option(Int32(IPPROTO_TCP), TCP_KEEPIDLE) == 4)
        #expect(option(Int32(IPPROTO_TCP), TCP_KEEPINTVL) == 2)
        #expect(option(SOL_SOCKET, SO_KEEPALIVE) == 1)
    }
}
