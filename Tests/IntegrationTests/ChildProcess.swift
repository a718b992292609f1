import FailoverSystem
import FailoverTesting
import Foundation

/// A program that runs beside the test. It inherits no descriptor, and its end does not depend on the processes that
/// it leaves running: a server that `scripts/lab` starts outlives the script.
final class ChildProcess: Sendable {
    struct Failure: Error {
        let call: String
        let code: Int32
    }

    let pid: pid_t
    /// Whether its exit status was collected. From then on its process id may belong to another process.
    private let isReaped = Lock(false)

    /// Closes the test process's descriptors, then becomes the program. Glibc's module lacks `addclosefrom_np`.
    private static let closeAndRun = """
        for fd in /proc/self/fd/*; do fd=${fd##*/}; if ((fd > 2)); then exec {fd}>&-; fi; done; exec "$@"
        """

    /// Starts the program.
    ///
    /// - Parameters:
    ///   - arguments: the program, looked up in `PATH`, and its arguments.
    ///   - environment: added to this process's.
    ///   - output: the path of the file for standard output.
    ///   - error: the path of the file for standard error.
    init(_ arguments: [String], environment: [String: String] = [:], output: String, error: String) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        for (descriptor, path) in [(STDOUT_FILENO, output), (STDERR_FILENO, error)] {
            posix_spawn_file_actions_addopen(&actions, descriptor, path, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        }

        let variables = environment.map { "\($0)=\($1)" }
        let message = (["env"] + variables + ["bash", "-c", Self.closeAndRun, "bash"] + arguments).map { strdup($0) }
        defer { for word in message { free(word) } }
        var pid = pid_t()
        let code = posix_spawnp(&pid, "env", &actions, nil, message + [nil], environ)
        guard code == 0 else { throw Failure(call: "posix_spawnp", code: code) }
        self.pid = pid
    }

    /// Whether it has ended, collected or not.
    var hasEnded: Bool {
        isReaped.withLock { isReaped in
            var information = siginfo_t()
            return isReaped || waitid(P_PID, id_t(pid), &information, WEXITED | WNOHANG | WNOWAIT) < 0
                || information.si_signo == SIGCHLD
        }
    }

    /// Whether the program catches the signal; proc(5). The signal ends a program that has just been started.
    func catches(_ signal: Int32) -> Bool {
        let status = (try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("SigCgt:") }
        let mask = line?.split(separator: "\t").last.flatMap { UInt64($0, radix: 16) } ?? 0
        return mask >> UInt64(signal - 1) & 1 == 1
    }

    /// Sends it a signal, unless its exit status was collected.
    func signal(_ signal: Int32) {
        isReaped.withLock { isReaped in
            if !isReaped { kill(pid, signal) }
        }
    }

    /// Waits for its end.
    ///
    /// - Returns: the exit status, or the negative number of the signal that killed it.
    func status() async throws -> Int32 {
        try await onThread { [self] in
            var information = siginfo_t()
            while waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT) < 0 {
                guard errno == EINTR else { throw Failure(call: "waitid", code: errno) }
            }
            return try isReaped.withLock { isReaped in
                var status: Int32 = 0
                guard waitpid(pid, &status, 0) == pid else { throw Failure(call: "waitpid", code: errno) }
                isReaped = true
                return status & 0x7f == 0 ? (status >> 8) & 0xff : -(status & 0x7f)
            }
        }
    }
}
