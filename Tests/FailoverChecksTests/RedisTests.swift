import FailoverCore
import FailoverSystem
import FailoverTesting
import Testing

@testable import FailoverChecks

@Suite("Redis ping")
struct RedisTests {
    let bench = CheckBench()

    func failure(
        of server: RedisServer = RedisServer(endpoint: .unix(path: "")), limit: Duration = .ample,
        _ script: @escaping @Sendable (FaultyServerConnection) -> Void
    ) async -> PingFailure? {
        let fake = FaultyServer(script: script)
        defer { fake.stop() }
        var server = server
        server.endpoint = .tcp(host: "127.0.0.1", port: fake.port)
        let check = ServerCheck(server: server, resolver: bench.resolver, threads: bench.threads)
        return await bench.outcome { () throws(PingFailure) in try await check.ping(limit: limit) }
    }

    func server(user: String? = nil, password: String? = nil, database: Int = 0, tls: Bool = false) -> RedisServer {
        RedisServer(
            endpoint: .unix(path: ""), user: user, password: password.map { Secret($0) }, database: database, tls: tls)
    }

    @Test(arguments: [
        (RedisServer(endpoint: .unix(path: "")), ["PING", "INFO replication", "INFO persistence"]),
        (
            RedisServer(endpoint: .unix(path: ""), user: "me", password: Secret("s"), database: 3),
            ["AUTH me s", "SELECT 3", "PING", "INFO replication", "INFO persistence"]
        ),
        (
            RedisServer(endpoint: .unix(path: ""), password: Secret("s")),
            ["AUTH s", "PING", "INFO replication", "INFO persistence"]
        ),
    ])
    func healthyServerIsAsked(server: RedisServer, commands: [String]) async {
        let heard = Lock<[String]>([])
        let failure = await failure(of: server) { client in
            while let command = client.receiveRedisCommand() {
                heard.withLock { $0.append(command) }
                client.send(
                    Array((command == "PING" ? "+PONG\r\n" : command.hasPrefix("INFO") ? "$0\r\n\r\n" : "+OK\r\n").utf8)
                )
            }
        }
        #expect(failure == nil)
        #expect(heard.withLock { $0 } == commands)
    }

    @Test func wordsAreSentWithTheirLength() {
        #expect(
            RedisCommand("AUTH", "ü\r\n$9").bytes == Array("*2\r\n$4\r\nAUTH\r\n$6\r\nü\r\n$9\r\n".utf8))
    }

    @Test(arguments: [
        ("PING", "-LOADING Redis is loading the dataset in memory", PingFailure.Reason.startingUp),
        ("PING", "-NOAUTH Authentication required.", .authentication),
        ("PING", "-MASTERDOWN Link with MASTER is down", .cutOff),
        ("PING", "-ERR max number of clients reached", .tooManyConnections),
        ("PING", "-DENIED Redis is running in protected mode", .hostBlocked),
        ("PING", "-MISCONF Redis is configured to save RDB snapshots", .query),
        ("PING", "+WHAT", .protocolViolation), ("PING", ":1", .protocolViolation),
        ("AUTH me s", "-WRONGPASS invalid username-password pair", .authentication),
        ("AUTH me s", "-ERR invalid password", .authentication),
        ("SELECT 3", "-ERR DB index is out of range", .authentication),
        ("SELECT 3", "-NOPERM this user has no permissions", .authentication),
        ("INFO persistence", FaultyServerConnection.redisText("# Persistence\r\nloading:1\r\n"), .startingUp),
        ("INFO replication", FaultyServerConnection.redisText("role:slave\r\nmaster_link_status:down\r\n"), .cutOff),
        ("INFO replication", "-LOADING Redis is loading", .startingUp),
        ("INFO replication", "*1000000000", .protocolViolation), ("INFO replication", "*-7", .protocolViolation),
        ("INFO replication", "$-7", .protocolViolation),
    ])
    func answersHaveTheirReason(command: String, answer: String, reason: PingFailure.Reason) async {
        let failure = await failure(of: server(user: "me", password: "s", database: 3)) {
            $0.serveRedis([command: answer])
        }
        #expect(failure?.reason == reason, "\(String(describing: failure))")
    }

    @Test(arguments: ["-NOPERM this user has no permissions", "-ERR unknown command 'INFO'"])
    func whoMayNotAskForMoreIsContentWithThePing(answer: String) async {
        #expect(await failure { $0.serveRedis(["INFO replication": answer, "INFO persistence": answer]) } == nil)
    }

    @Test func whoMayNotPingHasBeenAnswered() async {
        #expect(await failure { $0.serveRedis(["PING": "-NOPERM this user has no permissions"]) } == nil)
    }

    @Test func replicaOfALivingPrimaryIsUp() async {
        let text = FaultyServerConnection.redisText("role:slave\r\nmaster_host:10.0.0.1\r\nmaster_link_status:up\r\n")
        #expect(await failure { $0.serveRedis(["INFO replication": text]) } == nil)
    }

    @Test func lostPrimaryIsNamed() async {
        let text = FaultyServerConnection.redisText(
            "role:slave\r\nmaster_host:10.0.0.1\r\nmaster_port:6379\r\nmaster_link_status:down\r\n")
        let failure = await failure { $0.serveRedis(["INFO replication": text]) }
        #expect(failure?.detail.hasSuffix(": has lost its primary 10.0.0.1:6379") == true)
    }

    @Test func secretIsHidden() async {
        let failure = await failure(of: server(password: "hunter2")) {
            $0.serveRedis(["AUTH hunter2": "-WRONGPASS not with hunter2"])
        }
        #expect(failure?.detail.hasSuffix(": WRONGPASS not with (hidden)") == true)
    }

    @Test(arguments: Misbehaviour.allCases, [PingFailure.Stage.login, .query])
    func serverThatDoesNotAnswerIsDown(misbehaviour: Misbehaviour, stage: PingFailure.Stage) async {
        let failure = await misbehaviour.failure(at: stage) { limit in
            await self.failure(of: server(password: "s"), limit: limit) { client in
                if stage == .query {
                    for answer in ["+OK\r\n", "+PONG\r\n"] {
                        client.receive()
                        client.send(Array(answer.utf8))
                    }
                }
                client.receive()
                client.misbehave(
                    misbehaviour, halfAnswer: Array("$9999999\r\nrole".utf8), endless: Array(repeating: 65, count: 9))
            }
        }
        #expect(failure?.reason == misbehaviour.reason(at: stage), "\(String(describing: failure))")
    }

    @Test func endlessTextIsCutOff() async {
        let failure = await failure { client in
            client.receive()
            client.misbehave(.endless, halfAnswer: [], endless: Array("$999999999\r\nxxxxxxx".utf8))
        }
        #expect(failure?.detail.hasSuffix(": sent more than 64 KiB to a ping") == true)
    }

    @Test(arguments: [Misbehaviour.silence, .halfAnswer, .trickle])
    func silenceInTheTLSHandshakeTimesOut(misbehaviour: Misbehaviour) async {
        let failure = await misbehaviour.failure(at: .login) { limit in
            await self.failure(of: server(tls: true), limit: limit) { client in
                client.receive()
                client.misbehave(misbehaviour, halfAnswer: [22, 3, 3, 0x40, 0, 2, 0, 0x3f, 0xfc])
            }
        }
        #expect(failure?.reason == .timeout(.login), "\(String(describing: failure))")
    }

    @Test func endlessHandshakeIsCutOff() async {
        let failure = await failure(of: server(tls: true)) { client in
            client.receive()
            // TLS warning alerts, without any data.
            client.misbehave(.endless, halfAnswer: [21, 3, 3, 0, 2, 1, 100])
        }
        #expect(failure?.reason == .tls || failure?.reason == .protocolViolation, "\(String(describing: failure))")
    }

    @Test func serverWithoutTLSIsTLS() async {
        let failure = await failure(of: server(tls: true)) { client in
            client.receive()
            client.send(Array("-ERR Protocol error\r\n".utf8))
            client.receiveToEnd()
        }
        #expect(failure?.reason == .tls, "\(String(describing: failure))")
    }

    @Test func closeInTheTLSHandshakeIsDisconnected() async {
        #expect(await failure(of: server(tls: true)) { $0.receive() }?.reason == .disconnected)
    }
}
