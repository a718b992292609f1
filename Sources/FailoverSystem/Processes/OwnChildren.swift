import FailoverCore
import Glibc

/// The processes that this one has started and that somebody here waits for.
enum OwnChildren {
    private static let waitedFor = Lock<Set<pid_t>>([])

    /// Starts one.
    static func start(_ spawn: () throws(SystemError) -> pid_t) throws(SystemError) -> pid_t {
        // Under the lock: it must not be taken for somebody else's if it ends at once.
        try waitedFor.withLock { waitedFor throws(SystemError) in
            let process = try spawn()
            waitedFor.insert(process)
            return process
        }
    }

    /// Waits for the end of one.
    ///
    /// - Returns: Its status, as wait(2) has it.
    static func reap(_ process: pid_t) -> Int32 {
        var information = siginfo_t()
        while waitid(P_PID, id_t(process), &information, WEXITED | WNOWAIT) < 0 && errno == EINTR {}
        // Its number is free from here on, for another of ours too.
        return waitedFor.withLock { waitedFor in
            var status: Int32 = 0
            waitpid(process, &status, 0)
            waitedFor.remove(process)
            return status
        }
    }

    /// Takes away what is left of children that nobody here has started and that have ended.
    ///
    /// One of our own that has ended hides those after it until it is reaped, which is soon: the next call finds them.
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
