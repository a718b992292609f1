import FailoverTesting
import Foundation
import Testing

@Suite("Watched services", .timeLimit(.minutes(5)))
struct ServicesTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("services-\(UUID())")

    init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }

    private func text(_ name: String) -> String {
        (try? String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)) ?? ""
    }

    private func script(_ name: String, _ lines: String) throws -> String {
        let file = folder.appendingPathComponent(name)
        try "#!/bin/sh\n\(lines)\n".write(to: file, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file.path)
        return file.path
    }

    /// A real memcached at a port that was free a moment ago.
    private func memcached() async throws -> (port: UInt16, process: ChildProcess) {
        let port = UnusedPort().port
        let process = try ChildProcess(
            ["memcached", "-u", "nobody", "-l", "127.0.0.1", "-p", "\(port)"], output: "/dev/null", error: "/dev/null")
        let answers = await eventually { (try? await TCPClient.connect(port: Int(port))) != nil }
        #expect(answers)
        return (port, process)
    }

    @Test func theDeadServersOfAMemcachedPoolAreNamed() async throws {
        let (one, other, third) = try await (memcached(), memcached(), memcached())
        let page = try script("page", "cat >> \(folder.path)/events")
        let failover = try FailoverProcess(
            configuration: """
                monitoring_ping_frequency: 100ms
                outage_ping_frequency: 100ms
                services:
                  cache:
                    type: memcached
                    servers: ["127.0.0.1:\(one.port)", "127.0.0.1:\(other.port)", "127.0.0.1:\(third.port)"]
                notify:
                  - {type: command, run: \(page)}
                """)
        kill(other.process.pid, SIGKILL)
        #expect(await failover.logs("cache outage. Failover initiated."))
        #expect(await failover.logs("1 of 3 servers down: 127.0.0.1:\(other.port)"))
        kill(one.process.pid, SIGKILL)
        #expect(await failover.logs("WARNING cache outage goes on, changed"))
        #expect(await failover.logs("2 of 3 servers down: 127.0.0.1:\(one.port)"))
        #expect(await eventually { text("events").contains(#""event":"outage""#) })
        failover.signal(SIGTERM)
        #expect(try await failover.status() == 0)
        kill(third.process.pid, SIGKILL)
        for process in [one.process, other.process, third.process] { _ = try await process.status() }
    }

    @Test func aCommandServicesOutageHasItsConsequencesAndItsRecoveryTakesThemBack() async throws {
        let check = try script("check", "test -e \(folder.path)/broken || exit 0; echo billing is broken; exit 1")
        let hook = try script(
            "hook", "echo \"$FAILOVER_SERVICE $FAILOVER_EVENT $FAILOVER_REASON $MODE\" >> \(folder.path)/hooks")
        let page = try script("page", "cat >> \(folder.path)/events")
        let sendmail = try script("sendmail", "cat >> \(folder.path)/mail")
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
                settings_file: \(folder.path)/settings.json
                """)
        let port = try await failover.port()
        #expect(try await TCPClient.connect(port: port).receiveText(5) == "hello")
        #expect(text("settings.json").contains("MODE") == false)

        try "".write(to: folder.appendingPathComponent("broken"), atomically: true, encoding: .utf8)
        #expect(await failover.logs("billing outage. Failover initiated."))
        #expect(text("settings.json").contains(#""MODE" : "low""#))
        #expect(text("hooks") == "billing outage command: billing is broken low\n")
        #expect(await eventually { (try? await TCPClient.connect(port: port).receiveText(5)) == "" })
        #expect(await eventually { text("mail").contains("Subject: [failover] DOWN: billing on") })

        try FileManager.default.removeItem(at: folder.appendingPathComponent("broken"))
        #expect(await failover.logs("billing is back up. Recovery complete."))
        #expect(text("settings.json").contains("MODE") == false)
        #expect(text("hooks").hasSuffix("billing recovery  low\n"))
        #expect(await eventually { (try? await TCPClient.connect(port: port).receiveText(5)) == "hello" })
        #expect(await eventually { text("events").contains(#""event":"recovery""#) })
        #expect(text("mail").contains("UP again") == false)
        failover.signal(SIGTERM)
        #expect(try await failover.status() == 0)
    }
}
