import CLinux
import FailoverCore
import Glibc

/// The tasks of the first process of a container, which are init(1)'s tasks elsewhere. See pid_namespaces(7).
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

/// Protects the memory of a process that holds secrets.
package enum MemoryDumps {
    /// Disables core files and debuggers of the same user for this process. Its commands can still be debugged.
    package static func forbid() { clinux_forbid_dumps() }
}

/// The child processes that code of this process waits for.
enum OwnChildren {
    private static let waitedFor = Lock<Set<pid_t>>([])

    /// Starts a child process.
    static func start(_ spawn: () throws(SystemError) -> pid_t) throws(SystemError) -> pid_t {
        // The lock is held, so that ``reapOthers()`` does not reap a process that ends at once.
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
        // After waitpid(2), another child may get the process number. So the lock is held for both steps.
        return waitedFor.withLock { waitedFor in
            var status: Int32 = 0
            waitpid(process, &status, 0)
            waitedFor.remove(process)
            return status
        }
    }

    /// Reaps children that have ended and that no code of this process waits for.
    ///
    /// waitid(2) always returns the same ended child until it is reaped. If that is a child that this process waits
    /// for, the others are found by a later call.
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
