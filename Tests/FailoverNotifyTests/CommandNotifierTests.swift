import FailoverCore
import FailoverSystem
import FailoverTesting
import Testing

@testable import FailoverNotify

@Suite("Notifiers that run a command", .timeLimit(.minutes(5)))
struct CommandNotifierTests {
    private let scratch: Scratch
    private let threads = BlockingThreads()

    init() throws { scratch = try Scratch() }

    @Test func aCommandGetsTheEventOnItsStandardInput() async throws {
        let program = try scratch.script(
            "program", "cat > \(scratch.path("event")); echo \"$@\" > \(scratch.path("arguments"))")
        let event = Events.outage()
        try await CommandNotifier([program, "--urgent", "a b"], threads: threads).deliver(event, limit: .ample)
        #expect(scratch.text("event") == EventJSON(event).text + "\n")
        #expect(scratch.text("arguments") == "--urgent a b\n")
    }

    @Test func sendmailGetsAMessageAndItsEnvelope() async throws {
        let program = try scratch.script(
            "program", "cat > \(scratch.path("mail")); echo \"$@\" > \(scratch.path("arguments"))")
        let notifier = MailNotifier(
            to: ["ops@example.com", "root"], from: "failover@example.com", sendmail: program, threads: threads)
        try await notifier.deliver(Events.event(.outage(Events.refused), currentAlias: "default"), limit: .ample)
        #expect(scratch.text("arguments") == "-i -f failover@example.com -- ops@example.com root\n")
        let mail = scratch.text("mail")
        #expect(mail.contains("\nSubject: [failover] DOWN: slave on web1 (refused), default serves\n"))
        #expect(mail.contains("\n\nDOWN: slave on web1 (refused), default serves\n"))
    }

    @Test func aCommandThatFailsOrHangsIsAnError() async throws {
        let failing = CommandNotifier([try scratch.script("program", "echo no modem >&2; exit 75")], threads: threads)
        await #expect(throws: OperationError(.notification, "exit status 75: no modem")) {
            try await failing.deliver(Events.outage(), limit: .ample)
        }
        let hanging = CommandNotifier(["/bin/sleep", "1000"], threads: threads)
        await #expect(throws: OperationError(.notification, "killed at its time limit")) {
            try await hanging.deliver(Events.outage(), limit: .milliseconds(200))
        }
        let missing = CommandNotifier(["/nonexistent"], threads: threads)
        await #expect(throws: OperationError(.notification, "No such file or directory")) {
            try await missing.deliver(Events.outage(), limit: .ample)
        }
    }
}
