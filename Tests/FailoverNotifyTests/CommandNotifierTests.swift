import FailoverCore
import FailoverSystem
import FailoverTesting
import Foundation
import Testing

@testable import FailoverNotify

@Suite("Notifiers that run a command", .timeLimit(.minutes(5)))
struct CommandNotifierTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "notify-\(UUID().uuidString)")
    private let threads = BlockingThreads()

    init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }

    /// A program that does what the script says.
    private func program(_ script: String) throws -> String {
        let file = folder.appending(path: "program")
        try ExecutableScript.write(script, to: file.path)
        return file.path
    }

    private func stored(_ name: String) throws -> String {
        try String(contentsOf: folder.appending(path: name), encoding: .utf8)
    }

    @Test func aCommandGetsTheEventOnItsStandardInput() async throws {
        let program = try program("cat > \(folder.path)/event; echo \"$@\" > \(folder.path)/arguments")
        let event = Events.outage()
        try await CommandNotifier([program, "--urgent", "a b"], threads: threads).deliver(event, limit: .seconds(100))
        #expect(try stored("event") == EventJSON(event).text + "\n")
        #expect(try stored("arguments") == "--urgent a b\n")
    }

    @Test func sendmailGetsAMessageAndItsEnvelope() async throws {
        let program = try program("cat > \(folder.path)/mail; echo \"$@\" > \(folder.path)/arguments")
        let notifier = MailNotifier(
            to: ["ops@example.com", "root"], from: "failover@example.com", sendmail: program, threads: threads)
        try await notifier.deliver(Events.event(.outage(Events.refused), currentAlias: "default"), limit: .seconds(100))
        #expect(try stored("arguments") == "-i -f failover@example.com -- ops@example.com root\n")
        let mail = try stored("mail")
        #expect(mail.contains("\nSubject: [failover] DOWN: slave on web1 (refused), default serves\n"))
        #expect(mail.contains("\n\nDOWN: slave on web1 (refused), default serves\n"))
    }

    @Test func aCommandThatFailsOrHangsIsAnError() async throws {
        let failing = CommandNotifier([try program("echo no modem >&2; exit 75")], threads: threads)
        await #expect(throws: NotifierError("exit status 75: no modem")) {
            try await failing.deliver(Events.outage(), limit: .seconds(100))
        }
        let hanging = CommandNotifier(["/bin/sleep", "1000"], threads: threads)
        await #expect(throws: NotifierError("killed at its time limit")) {
            try await hanging.deliver(Events.outage(), limit: .milliseconds(200))
        }
        let missing = CommandNotifier(["/nonexistent"], threads: threads)
        await #expect(throws: NotifierError("No such file or directory")) {
            try await missing.deliver(Events.outage(), limit: .seconds(100))
        }
    }
}
