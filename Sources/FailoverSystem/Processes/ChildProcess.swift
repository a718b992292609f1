import CLinux
import Glibc

/// A running command in a process group of its own. Only one thread uses it, and that thread may block.
///
/// The package swift-subprocess is not used for two reasons. Its teardown ends when the started process ends, so a
/// grandchild that ignores SIGTERM outlives the limit. And reading the output waits for every process that inherited
/// the pipe.
package struct ChildProcess: ~Copyable {
    private let process: pid_t
    private let pidfd: Int32
    private var input: Pipe
    private var output: Pipe
    private var unsent: ArraySlice<UInt8>
    private var kept: [UInt8] = []

    private static let keptOutput = 64 * 1024
    /// The time between SIGTERM and SIGKILL.
    private static let grace = Duration.milliseconds(100)

    /// Runs a command until it ends. At the deadline the command is killed with its process group.
    ///
    /// If the command ends in time, processes that it started and left running keep running.
    /// - Throws: if the command cannot be started.
    package static func run(_ command: Command, until deadline: Deadline) throws(SystemError) -> CommandResult {
        var child = try start(command)
        while !child.hasEnded {
            if deadline.hasPassed { return child.killed() }
            child.exchange(until: deadline)
        }
        child.readWhatIsThere()
        return CommandResult(ending: child.reap(), output: child.kept)
    }

    private static func start(_ command: Command) throws(SystemError) -> ChildProcess {
        let input = try Pipe()
        let output = try Pipe()
        let process = try OwnChildren.start { () throws(SystemError) in
            try Spawn.start(command, input: input.reading, output: output.writing)
        }
        return ChildProcess(process, input: input, output: output, toSend: command.input)
    }

    private init(_ process: pid_t, input: consuming Pipe, output: consuming Pipe, toSend: [UInt8]) {
        self.process = process
        pidfd = clinux_pidfd(process)
        self.input = input
        self.output = output
        unsent = toSend[...]
        self.input.closeReading()
        self.output.closeWriting()
        self.input.doNotBlock()
        self.output.doNotBlock()
        if unsent.isEmpty { self.input.closeWriting() }
    }

    deinit { if pidfd >= 0 { close(pidfd) } }

    /// Whether the command itself has ended. It stays a zombie until ``reap()``.
    private var hasEnded: Bool {
        var information = siginfo_t()
        let result = waitid(P_PID, id_t(process), &information, WEXITED | WNOHANG | WNOWAIT)
        return result != 0 || information._sifields._sigchld.si_pid == process
    }

    /// Waits until the command has output, accepts input or ends, and moves the bytes.
    private mutating func exchange(until deadline: Deadline) {
        var entries = [
            pollfd(fd: output.reading, events: Int16(POLLIN), revents: 0),
            pollfd(fd: input.writing, events: Int16(POLLOUT), revents: 0),
            pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0),
        ]
        // Without a pidfd, polling notices the end.
        let longest: Int32 = pidfd >= 0 ? .max : 20
        poll(&entries, 3, min(deadline.remainingMilliseconds, longest))
        if entries[0].revents != 0 { readWhatIsThere() }
        if entries[1].revents != 0 { sendInput() }
    }

    private mutating func readWhatIsThere() {
        var buffer = [UInt8](repeating: 0, count: 16 * 1024)
        // A command that writes without end must not block this loop.
        for _ in 0..<64 where output.reading >= 0 {
            let count = read(output.reading, &buffer, buffer.count)
            if count > 0 {
                kept += buffer[..<count]
                if kept.count > 2 * Self.keptOutput { kept.removeFirst(kept.count - Self.keptOutput) }
            } else if count == 0 {
                output.closeReading()
            } else if errno != EINTR {
                break
            }
        }
        if kept.count > Self.keptOutput { kept.removeFirst(kept.count - Self.keptOutput) }
    }

    private mutating func sendInput() {
        let count = unsent.withUnsafeBytes { write(input.writing, $0.baseAddress, $0.count) }
        if count > 0 { unsent = unsent.dropFirst(count) }
        let isOver = count < 0 && errno != EAGAIN && errno != EINTR
        if unsent.isEmpty || isOver { input.closeWriting() }
    }

    /// Kills the whole process group. The command has not been reaped by then, so no other group can have the number.
    private mutating func killed() -> CommandResult {
        kill(-process, SIGTERM)
        let moment = Deadline(Self.grace)
        while !hasEnded && !moment.hasPassed { exchange(until: moment) }
        kill(-process, SIGKILL)
        readWhatIsThere()
        _ = reap()
        return CommandResult(ending: .timedOut, output: kept)
    }

    private func reap() -> CommandResult.Ending {
        let status = OwnChildren.reap(process)
        let signal = status & 0x7f
        return signal == 0 ? .exited((status >> 8) & 0xff) : .signalled(signal)
    }
}
