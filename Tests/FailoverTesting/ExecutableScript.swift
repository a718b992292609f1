import FailoverCore
import FailoverSystem

/// A shell script that tests run.
public enum ExecutableScript {
    /// Writes the script to the path.
    ///
    /// Another process writes the file. If this process had it open for writing, a process that another test starts
    /// at that time would inherit the descriptor, and a file that is open for writing cannot be executed (ETXTBSY of
    /// execve(2)).
    public static func write(_ lines: String, to path: String) throws {
        let command = Command(
            ["/bin/sh", "-c", "cat > \"$0\" && chmod 755 \"$0\"", path], input: Array("#!/bin/sh\n\(lines)\n".utf8))
        let result = try ChildProcess.run(command, until: Deadline(.ample))
        guard result.succeeded else { throw PingFailure(.local, "\(path): \(result.summary)") }
    }
}
