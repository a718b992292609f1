import FailoverCore
import FailoverSystem
import FailoverTLS
import FailoverTesting
import Synchronization
import Testing

@testable import FailoverChecks
@testable import FailoverDoctor

@Suite("Examining servers")
struct ServerProberTests {
    let threads = BlockingThreads()

    private func prober(_ lookUp: @escaping NameResolver.LookUp) -> ServerProber {
        ServerProber(resolver: NameResolver(threads: threads, lookUp: lookUp), threads: threads)
    }

    private func server(_ engine: DatabaseServer.Engine, host: String = "127.0.0.1", port: UInt16) -> DatabaseServer {
        DatabaseServer(
            engine: engine, endpoint: .tcp(host: host, port: port), user: "monitor", password: Secret("hunter2"),
            tls: .disable)
    }

    private var plain: ServerProber { ServerProber(resolver: NameResolver(threads: threads), threads: threads) }

    @Test func nameWithoutAddress() async {
        let prober = prober { _ throws(PingFailure) in throw PingFailure(.unresolved, "none") }
        let found = await prober.probe(server(.tcp, host: "db.example", port: 1), limit: .ample)
        #expect(found.unresolved?.reason == .unresolved && found.failure?.reason == .unresolved)
        #expect(found.answers.isEmpty)
    }

    @Test func addressesThatChangeAreSeen() async {
        let count = Atomic(0)
        let prober = prober { _ throws(PingFailure) in
            AddressList(literals: ["127.0.0.\(count.wrappingAdd(1, ordering: .relaxed).newValue)"])
        }
        // A slow machine makes no further look-ups.
        let found = await patiently {
            $0.lookUps.count == 3
        } _: { _ in
            await prober.probe(server(.tcp, host: "db.example", port: 1), limit: .ample)
        }
        #expect(found.lookUps.count == 3)
        #expect(Set(found.lookUps).count == 3)
    }

    @Test func eachAddressIsAsked() async {
        let listener = FaultyServer { $0.holdOpen() }
        defer { listener.stop() }
        let prober = prober { _ throws(PingFailure) in AddressList(literals: ["127.0.0.2", "127.0.0.1"]) }
        let found = await prober.probe(server(.tcp, host: "db.example", port: listener.port), limit: .ample)
        #expect(found.answers.map(\.address) == ["127.0.0.2", "127.0.0.1"])
        #expect(found.failure == nil)
        guard case .failure(let failure) = found.answers.first?.facts else {
            Issue.record("no server listens there")
            return
        }
        #expect(failure.reason == .refused)
    }

    @Test(arguments: [DatabaseServer.Engine.postgres, .mysql])
    func silenceEndsAtTheLimit(_ engine: DatabaseServer.Engine) async {
        let silent = FaultyServer { $0.holdOpen() }
        defer { silent.stop() }
        let failure = await Misbehaviour.silence.failure(at: .login) { limit in
            await plain.probe(server(engine, port: silent.port), limit: limit).failure
        }
        #expect(failure?.reason == .timeout(.login))
    }

    @Test(.enabled(if: Laboratory.isOpen), .sharedDatabases, arguments: [DatabaseServer.Engine.postgres, .mysql])
    func realServersSayWhatTheyAre(_ engine: DatabaseServer.Engine) async throws {
        let found = await plain.probe(
            Laboratory.server(engine, tls: .require, pingQuery: "SELECT nothing"), limit: .ample)
        let facts = try #require(found.facts, "\(found)")
        #expect(!facts.topology.isReplica && !facts.topology.isReadOnly)
        #expect(facts.lagGrant == nil && facts.attestRemedy == nil)
        #expect(facts.pingQueryFailure?.reason == .query)
        // The certificate is valid as long as its authority's.
        #expect(facts.certificate?.subject == "/CN=localhost")
        #expect((facts.certificate?.ends).map { $0.sinceEpoch > WallTime.now.sinceEpoch + .seconds(86400) } == true)
        #expect(
            (facts.clock?.surelyApart(from: ClockReading(offset: .zero, uncertainty: .zero))).map { $0 < .seconds(1) }
                == true)
        #expect((facts.connections?.maximum ?? 0) > 50)
        #expect(facts.timeZone != nil)
        switch engine {
        case .postgres, .tcp:
            #expect(facts.topology.cluster?.isEmpty == false && facts.topology.timeline == 1)
        case .mysql:
            #expect(facts.topology.serverID == "1" && facts.topology.sources == [])
            #expect(facts.hostBlocking?.isOn == false)
        }

        let again = await plain.probe(Laboratory.server(engine, tls: .disable), limit: .ample)
        #expect(again.facts?.identity == facts.identity && again.facts?.certificate == nil)
        #expect(again.facts?.pingQueryFailure == nil)
    }

    @Test(
        .enabled(if: Laboratory.isOpen), .sharedDatabases,
        arguments: [
            (DatabaseServer.Engine.postgres, "monitor_md5", "GRANT pg_read_all_stats TO \"monitor_md5\""),
            (.mysql, "monitor_ed25519", "GRANT REPLICA MONITOR ON *.* TO 'monitor_ed25519'@'%'"),
        ])
    func usersWhoMayNotSeeAreToldTheGrant(_ engine: DatabaseServer.Engine, _ user: String, _ grant: String) async {
        var server = Laboratory.server(engine, user: user)
        server.passwordMethods = [.scram, .md5]
        let found = await plain.probe(server, limit: .ample)
        #expect(found.facts?.lagGrant == grant, "\(found)")
        let attest = engine == .postgres ? grant : "GRANT PROCESS ON *.* TO 'monitor_ed25519'@'%'"
        #expect(found.facts?.attestRemedy == attest, "\(found)")
    }
}
