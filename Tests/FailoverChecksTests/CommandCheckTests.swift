import FailoverCore
import FailoverSystem
import FailoverTesting
import Testing

@testable import FailoverChecks

@Suite("Command ping", .timeLimit(.minutes(5)))
struct CommandCheckTests {
    private func ping(_ words: [String], limit: Duration = .ample) async throws(PingFailure) {
        try await CommandCheck(command: Command(words), threads: BlockingThreads()).run(limit: limit)
    }

    @Test func exitStatusZeroIsUp() async throws { try await ping(["/bin/true"]) }

    @Test func anotherIsDownWithTheLastLineOfTheOutput() async {
        await #expect(throws: PingFailure(.command, "billing is closed")) {
            try await ping(["/bin/sh", "-c", "echo starting; echo 'billing is\tclosed' >&2; exit 2"])
        }
        await #expect(throws: PingFailure(.command, "exit status 1")) { try await ping(["/bin/false"]) }
        await #expect(throws: PingFailure(.command, "killed by signal 15")) {
            try await ping(["/bin/sh", "-c", "kill $$"])
        }
    }

    @Test func theLimitHolds() async {
        await #expect(throws: PingFailure(.timeout(.command), "/bin/sleep did not end within 200 ms")) {
            try await ping(["/bin/sleep", "1000"], limit: .milliseconds(200))
        }
    }

    @Test func oneRunIsNotStartedBesideAnother() async throws {
        let holding = FaultyServer { $0.holdOpen() }
        let check = CommandCheck(
            command: Command(["/bin/bash", "-c", "read line < /dev/tcp/127.0.0.1/\(holding.port); true"]),
            threads: BlockingThreads())
        async let first: Void = check.run(limit: .ample)
        #expect(await eventually { holding.connections == 1 })
        await #expect(throws: PingFailure(.timeout(.hung), "/bin/bash: an earlier run has not ended yet")) {
            try await check.run(limit: .milliseconds(100))
        }
        holding.stop()
        try await first
        try await check.run(limit: .ample)
    }

    @Test func aMissingProgramIsOurOwnFault() async {
        await #expect(throws: PingFailure(.local, "/nonexistent: No such file or directory")) {
            try await ping(["/nonexistent"])
        }
    }
}
