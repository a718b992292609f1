import FailoverCore
import FailoverTesting
import Glibc
import Testing

@testable import FailoverSystem

@Suite("Commands", .timeLimit(.minutes(5)))
struct ChildProcessTests {
    private func run(
        _ script: String, environment: [String: String] = [:], input: String = "", limit: Duration = .ample
    ) async throws -> CommandResult {
        let command = Command(["/bin/sh", "-c", script], environment: environment, input: Array(input.utf8))
        return try await onThread { try ChildProcess.run(command, until: Deadline(limit)) }
    }

    private func text(_ result: CommandResult) -> String { String(decoding: result.output, as: UTF8.self) }

    /// Whether a process with this number exists and is not a zombie.
    private func lives(_ process: pid_t) -> Bool {
        var status: [UInt8] = []
        let file = open("/proc/\(process)/stat", O_RDONLY)
        guard file >= 0 else { return false }
        defer { close(file) }
        status = [UInt8](unsafeUninitializedCapacity: 512) { $1 = max(0, read(file, $0.baseAddress, $0.count)) }
        return !String(decoding: status, as: UTF8.self).contains(") Z")
    }

    @Test func theEndOfACommandIsItsExitStatusOrItsSignal() async throws {
        #expect(try await run("exit 0").succeeded)
        #expect(try await run("exit 3").ending == .exited(3))
        #expect(try await run("kill -9 $$").ending == .signalled(9))
    }

    @Test func whatACommandIsGivenByItselfReachesItThoughOthersNeverGetIt() async throws {
        #expect(text(try await run("echo $PGPASSWORD", environment: ["PGPASSWORD": "given"])) == "given\n")
    }

    @Test func bothOutputsAreKeptAndTheLastLineIsTheSummary() async throws {
        let result = try await run("echo one; echo two >&2; echo; exit 1")
        #expect(text(result) == "one\ntwo\n\n")
        #expect(result.summary == "two")
        #expect(try await run("exit 4").summary == "exit status 4")
    }

    @Test func itReadsItsInputAndItsVariables() async throws {
        let input = String(repeating: "0123456789", count: 100_000)
        let result = try await run(
            "wc -c; echo $FAILOVER_EVENT", environment: ["FAILOVER_EVENT": "outage"], input: input)
        #expect(text(result) == "1000000\noutage\n")
    }

    @Test func aCommandThatDoesNotReadItsInputEndsAsItLikes() async throws {
        #expect(try await run("exit 0", input: String(repeating: "x", count: 1_000_000)).succeeded)
    }

    @Test func ofEndlessOutputTheEndIsKept() async throws {
        let result = try await run("head -c 3000000 /dev/zero | tr '\\0' x; echo; echo last")
        #expect(result.output.count == 64 * 1024)
        #expect(result.summary == "last")
        let endless = try await run("exec yes", limit: .milliseconds(300))
        #expect(endless.ending == .timedOut)
        #expect(endless.output.count <= 64 * 1024)
    }

    @Test func atTheLimitTheWholeGroupIsKilled() async throws {
        // Both ignore SIGTERM. The second one also outlives its parent.
        func processes(_ result: CommandResult) -> [pid_t] {
            text(result).split(whereSeparator: \.isWhitespace).compactMap { pid_t($0) }
        }
        // On a busy machine the shell writes less within the first limit.
        let result = try await patiently {
            processes($0).count == 2
        } _: { limit in
            try await run(
                "trap '' TERM; (trap '' TERM; while :; do sleep 1000; done) & echo $! $$; wait; wait", limit: limit)
        }
        #expect(result.ending == .timedOut)
        let processes = processes(result)
        #expect(processes.count == 2)
        for process in processes { #expect(await eventually { !lives(process) }) }
    }

    @Test func aGrandchildThatHoldsThePipeHoldsNobodyUp() async throws {
        let result = try await run("sleep 1000 & echo $!; exit 0")
        #expect(result.succeeded)
        let process = try #require(pid_t(text(result).split(whereSeparator: \.isNewline).first ?? ""))
        #expect(lives(process))
        kill(process, SIGKILL)
    }

    @Test func itInheritsNoDescriptorAndNoBlockedSignal() async throws {
        let open = open("/dev/null", O_RDONLY)
        defer { close(open) }
        // The shell itself reads them, because it blocks signals while it starts a program.
        let masksOfShell =
            "while read -r name mask; do case $name in SigBlk:|SigIgn:) echo \"$name $mask\";; esac; done"
        let result = try await run("ls /proc/$$/fd; \(masksOfShell) </proc/$$/status")
        let lines = text(result).split(whereSeparator: \.isNewline).map(String.init)
        #expect(lines.filter { Int($0) != nil }.allSatisfy { ["0", "1", "2", "10", "255"].contains($0) })
        let masks = lines.filter { $0.hasPrefix("Sig") }.compactMap { UInt64($0.dropFirst(8), radix: 16) }
        // Signals 32 and 33 belong to glibc.
        #expect(masks.map { $0 & 0x7fff_ffff } == [0, 0])
    }

    @Test func whatCannotBeStartedSaysWhy() async throws {
        await #expect(throws: SystemError(ENOENT)) {
            try await onThread { try ChildProcess.run(Command(["/nonexistent"]), until: Deadline(.seconds(1))) }
        }
        await #expect(throws: SystemError(EACCES)) {
            try await onThread { try ChildProcess.run(Command(["/etc/passwd"]), until: Deadline(.seconds(1))) }
        }
    }

    @Test func noZombieAndNoDescriptorIsLeft() async throws {
        // Only the kinds that a command uses. Sockets and files of other tests do not count.
        @Sendable func descriptors() -> Int {
            (0..<1024).count { number in
                var link = [CChar](repeating: 0, count: 64)
                let length = readlink("/proc/self/fd/\(number)", &link, link.count)
                let text = String(decoding: link.prefix(max(0, length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
                return text.hasPrefix("pipe:") || text.hasPrefix("anon_inode:[pidfd]")
            }
        }
        _ = try await run("exit 0")
        let before = descriptors()
        for _ in 0..<20 { _ = try await run("echo $$") }
        let process = try #require(pid_t(try await run("echo $$").summary))
        #expect(kill(process, 0) == -1)
        // Other tests of this process open and close some, but do not accumulate them.
        #expect(await eventually { descriptors() <= before + 10 })
    }
}
