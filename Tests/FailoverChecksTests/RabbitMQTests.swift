import FailoverCore
import FailoverTesting
import Testing

@testable import FailoverChecks

@Suite("RabbitMQ ping")
struct RabbitMQTests {
    let bench = CheckBench()

    func failure(
        password: String = "secret", tls: Bool = false, limit: Duration = .ample,
        _ script: @escaping @Sendable (FaultyServerConnection) -> Void
    ) async -> PingFailure? {
        let fake = FaultyServer(script: script)
        defer { fake.stop() }
        let server = RabbitMQServer(
            endpoint: .tcp(host: "127.0.0.1", port: fake.port), user: "me", password: Secret(password),
            virtualHost: "app", tls: tls)
        let check = ServerCheck(server: server, resolver: bench.resolver, threads: bench.threads)
        return await bench.outcome { () throws(PingFailure) in try await check.ping(limit: limit) }
    }

    @Test func healthyServerIsUpAndLeftInOrder() async {
        let (endings, ending) = AsyncStream<[UInt8]>.makeStream()
        let failure = await failure {
            $0.serveAMQP()
            ending.yield($0.receiveToEnd())
        }
        #expect(failure == nil)
        var iterator = endings.makeAsyncIterator()
        #expect(await iterator.next() == [])
    }

    @Test func loginIsPlain() async {
        let (payloads, payload) = AsyncStream<[UInt8]?>.makeStream()
        _ = await failure {
            $0.receive(atLeast: 8)
            $0.send(FaultyServerConnection.amqpStart())
            payload.yield($0.receiveAMQP())
        }
        var iterator = payloads.makeAsyncIterator()
        let text = String(decoding: (await iterator.next() ?? nil) ?? [], as: UTF8.self)
        #expect(text.hasSuffix("\u{5}PLAIN\u{0}\u{0}\u{0}\u{a}\u{0}me\u{0}secret\u{5}en_US"))
        #expect(text.contains("authentication_failure_closet\u{1}"))
    }

    @Test func heartbeatsBetweenMethodsAreIgnored() async {
        let failure = await failure {
            $0.send(AMQPFrame(type: AMQPFrame.heartbeat, channel: 0, payload: []).bytes)
            $0.serveAMQP()
        }
        #expect(failure == nil)
    }

    @Test(
        arguments: Misbehaviour.allCases,
        [(0, PingFailure.Stage.login), (1, .login), (2, .login), (3, .query), (4, .query), (5, .query)])
    func serverThatDoesNotAnswerIsDown(
        misbehaviour: Misbehaviour, after: (steps: Int, stage: PingFailure.Stage)
    ) async {
        let failure = await misbehaviour.failure(at: after.stage) { limit in
            await self.failure(limit: limit) { client in
                client.serveAMQP(steps: after.steps)
                client.misbehave(
                    misbehaviour, halfAnswer: Array(FaultyServerConnection.amqpStart().prefix(20)),
                    // Heartbeats: always another valid frame, never an answer.
                    endless: AMQPFrame(type: AMQPFrame.heartbeat, channel: 0, payload: []).bytes)
            }
        }
        #expect(failure?.reason == misbehaviour.reason(at: after.stage), "\(String(describing: failure))")
    }

    @Test(arguments: [
        (1, UInt16(403), "ACCESS_REFUSED - Login was refused", PingFailure.Reason.authentication),
        (2, 530, "NOT_ALLOWED - vhost app not found", .authentication),
        (
            2, 530, "NOT_ALLOWED - access to vhost 'app' refused for user 'me': connection limit (1) is reached",
            .tooManyConnections
        ),
        (2, 541, "INTERNAL_ERROR - vhost 'app' is down", .other),
        (3, 320, "CONNECTION_FORCED - broker forced connection closure with reason 'shutdown'", .shuttingDown),
        (3, 504, "CHANNEL_ERROR", .protocolViolation), (3, 506, "RESOURCE_ERROR", .query),
    ])
    func refusalsHaveTheirReasonAndAreAcknowledged(
        steps: Int, code: UInt16, text: String, reason: PingFailure.Reason
    ) async {
        let (answers, answer) = AsyncStream<[UInt8]?>.makeStream()
        let failure = await failure {
            $0.serveAMQP(steps: steps)
            $0.sendAMQP(10, 50, FaultyServerConnection.amqpReason(code, text))
            answer.yield($0.receiveAMQP())
        }
        #expect(failure?.reason == reason)
        #expect(failure?.detail.hasSuffix(": \(code): \(text)") == true)
        var iterator = answers.makeAsyncIterator()
        #expect(await iterator.next() == [0, 10, 0, 51])
    }

    @Test func closedChannelIsQuery() async {
        let failure = await failure {
            $0.serveAMQP(steps: 3)
            $0.sendAMQP(20, 40, channel: 1, FaultyServerConnection.amqpReason(406, "PRECONDITION_FAILED"))
            $0.receiveToEnd()
        }
        #expect(failure?.reason == .query)
    }

    @Test func secretIsHidden() async {
        let failure = await failure(password: "hunter2") {
            $0.serveAMQP(steps: 1)
            $0.sendAMQP(10, 50, FaultyServerConnection.amqpReason(403, "not with hunter2"))
            $0.receiveToEnd()
        }
        #expect(failure?.detail.hasSuffix(": 403: not with (hidden)") == true)
    }

    @Test func serverWithoutPlainIsAuthentication() async {
        let failure = await failure {
            $0.receive(atLeast: 8)
            $0.send(FaultyServerConnection.amqpStart(mechanisms: "EXTERNAL PLAINER"))
            $0.receiveToEnd()
        }
        #expect(failure?.reason == .authentication)
    }

    @Test(arguments: [
        // Another version, another protocol, a missing frame end, too large, truncated arguments, unexpected method.
        Array("AMQP\u{0}\u{1}\u{0}\u{0}".utf8), [21, 3, 3, 0, 2, 2, 40], [1, 0, 0, 0, 0, 0, 1, 7, 7],
        [1, 0, 0, 255, 255, 255, 255], FaultyServerConnection.amqp(10, 10, [0, 9, 0, 0, 255, 255]),
        FaultyServerConnection.amqp(10, 41, [0]), FaultyServerConnection.amqp(10, 10, [0, 10]),
        AMQPFrame(channel: 0, payload: [0, 10]).bytes,
    ])
    func otherBytesAreAProtocolViolation(bytes: [UInt8]) async {
        let failure = await failure {
            $0.receive(atLeast: 8)
            $0.send(bytes)
            $0.receiveToEnd()
        }
        #expect(failure?.reason == .protocolViolation, "\(String(describing: failure))")
    }

    @Test func silenceInTheTLSHandshakeTimesOut() async {
        let failure = await Misbehaviour.silence.failure(at: .login) { limit in
            await self.failure(tls: true, limit: limit) { $0.holdOpen() }
        }
        #expect(failure?.reason == .timeout(.login), "\(String(describing: failure))")
    }

    @Test func longVirtualHostIsLocal() async {
        let server = RabbitMQServer(
            endpoint: .tcp(host: "127.0.0.1", port: 1), virtualHost: String(repeating: "v", count: 256))
        let check = ServerCheck(server: server, resolver: bench.resolver, threads: bench.threads)
        let failure = await bench.outcome { () throws(PingFailure) in try await check.ping(limit: .ample) }
        #expect(failure?.reason == .local)
    }
}
