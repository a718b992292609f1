import FailoverCore
import FailoverSystem

/// A shell script that tests run.
public enum ExecutableScript {
    /// Writes it to the path.
    ///
    /// Another process does: a descriptor that is open for writing here would be in each process that another test starts
    /// at that moment, and a program that somebody writes to cannot be run (ETXTBSY of execve(2)).
    public static func write(_ lines: String, to path: String) throws {
        let command = Command(
            ["/bin/sh", "-c", "cat > \"$0\" && chmod 755 \"$0\"", path], input: Array("#!/bin/sh\n\(lines)\n".utf8))
        let result = try ChildProcess.run(command, until: Deadline(.ample))
        guard result.succeeded else { throw PingFailure(.local, "\(path): \(result.summary)") }
    }
}
