import FailoverTesting
import Foundation
import Testing

@Suite("Watched services", .timeLimit(.minutes(5)), .explained)
struct ServicesTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    @Test func theDeadServersOfAMemcachedPoolAreNamed() async throws {
        let (one, other, third) = try await (Memcached(), Memcached(), Memcached())
        let page = try scratch.script("page", "cat >> \(scratch.path("events"))")
        let failover = try FailoverProcess(
            configuration: """
                monitoring_ping_frequency: 100ms
                outage_ping_frequency: 100ms
                services:
                  cache:
                    type: memcached
                    timeout: 60s
                    servers: ["127.0.0.1:\(one.port)", "127.0.0.1:\(other.port)", "127.0.0.1:\(third.port)"]
                notify:
                  - {type: command, run: \(page)}
                """)
        try await other.end()
        #expect(await failover.logs("cache outage. Failover initiated."))
        #expect(await failover.logs("1 of 3 servers down: 127.0.0.1:\(other.port)"))
        try await one.end()
        #expect(await failover.logs("WARNING cache is still down: 2 of 3 servers down"))
        #expect(await failover.logs("2 of 3 servers down: 127.0.0.1:\(one.port)"))
        #expect(await eventually { scratch.text("events").contains(#""event":"outage""#) })
        try await failover.end()
    }

    @Test func aCommandServicesOutageHasItsConsequencesAndItsRecoveryTakesThemBack() async throws {
        let check = try scratch.script(
            "check", "test -e \(scratch.path("broken")) || exit 0; echo billing is broken; exit 1")
        let hook = try scratch.script(
            "hook", "echo \"$FAILOVER_SERVICE $FAILOVER_EVENT $FAILOVER_REASON $MODE\" >> \(scratch.path("hooks"))")
        let page = try scratch.script("page", "cat >> \(scratch.path("events"))")
        let sendmail = try scratch.script("sendmail", "cat >> \(scratch.path("mail"))")
        let backend = EchoBackend(greeting: "hello")
        let failover = try FailoverProcess(
            configuration: """
                monitoring_ping_frequency: 100ms
                outage_ping_frequency: 100ms
                databases:
                  default: {engine: tcp, host: 127.0.0.1, port: \(backend.port)}
                services:
                  slave: {type: database, db_alias: default, listen: "127.0.0.1:0"}
                  billing:
                    type: command
                    ping: \(check)
                    failover: \(hook)
                    recover: \(hook)
                    failover_settings: {MODE: low}
                    close_during_outage: {routes: slave, message: closed}
                notify:
                  - {type: command, run: \(page), services: billing}
                  - {type: mail, to: ops@example.com, from: me@example.com, sendmail: \(sendmail), events: outage}
                settings_file: \(scratch.path("settings.json"))
                """)
        let port = try await failover.port()
        #expect(try await TCPClient.connect(port: port).receiveText(5) == "hello")
        #expect(scratch.text("settings.json").contains("MODE") == false)

        try scratch.write("", to: "broken")
        #expect(await failover.logs("billing outage. Failover initiated."))
        #expect(scratch.text("settings.json").contains(#""MODE" : "low""#))
        #expect(scratch.text("hooks") == "billing outage command: billing is broken low\n")
        #expect(await eventually { (try? await TCPClient.connect(port: port).receiveText(5)) == "" })
        #expect(await eventually { scratch.text("mail").contains("Subject: [failover] DOWN: billing on") })

        try scratch.remove("broken")
        #expect(await failover.logs("billing is back up. Recovery complete."))
        #expect(scratch.text("settings.json").contains("MODE") == false)
        #expect(scratch.text("hooks").hasSuffix("billing recovery  low\n"))
        #expect(await eventually { (try? await TCPClient.connect(port: port).receiveText(5)) == "hello" })
        #expect(await eventually { scratch.text("events").contains(#""event":"recovery""#) })
        #expect(scratch.text("mail").contains("UP again") == false)
        try await failover.end()
    }
}
