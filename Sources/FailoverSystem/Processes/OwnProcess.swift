import CLinux
import FailoverCore
import Glibc

/// The duties of the first process of a container, which init(1) has elsewhere. See pid_namespaces(7).
package enum FirstProcess {
    /// Whether this process is the first one.
    package static var isThisOne: Bool { getpid() == 1 }

    /// Reaps orphans. Processes whose parents have ended become children of this one.
    package static func reapOrphans() { OwnChildren.reapOthers() }

    /// Makes signals end this process. The first process has no default actions for signals.
    package static func end(on signals: [Int32]) {
        for number in signals { signal(number) { _exit(128 + $0) } }
    }
}

/// Protection of the memory of a process that knows secrets.
package enum MemoryDumps {
    /// Disables core files and debuggers of the same user for this process. Its commands can still be debugged.
    package static func forbid() { clinux_forbid_dumps() }
}

/// The child processes that code of this process waits for.
enum OwnChildren {
    private static let waitedFor = Lock<Set<pid_t>>([])

    /// Starts a child process.
    static func start(_ spawn: () throws(SystemError) -> pid_t) throws(SystemError) -> pid_t {
        // Under the lock, so that ``reapOthers()`` does not reap the process if it ends at once.
        try waitedFor.withLock { waitedFor throws(SystemError) in
            let process = try spawn()
            waitedFor.insert(process)
            return process
        }
    }

    /// Waits for the end of a child process.
    ///
    /// - Returns: the status, as in wait(2).
    static func reap(_ process: pid_t) -> Int32 {
        var information = siginfo_t()
        while waitid(P_PID, id_t(process), &information, WEXITED | WNOWAIT) < 0 && errno == EINTR {}
        // After this call the process number is free, also for another child.
        return waitedFor.withLock { waitedFor in
            var status: Int32 = 0
            waitpid(process, &status, 0)
            waitedFor.remove(process)
            return status
        }
    }

    /// Reaps children that have ended and that no code of this process waits for.
    ///
    /// A child that this process waits for hides the ended ones after it until it is reaped. That is soon, and the
    /// next call finds them.
    static func reapOthers() {
        waitedFor.withLock { waitedFor in
            while true {
                var information = siginfo_t()
                guard waitid(P_ALL, 0, &information, WEXITED | WNOHANG | WNOWAIT) == 0 else { return }
                let process = information._sifields._sigchld.si_pid
                guard process > 0, !waitedFor.contains(process) else { return }
                waitpid(process, nil, WNOHANG)
            }
        }
    }
}
