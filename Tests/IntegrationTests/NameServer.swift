import FailoverTesting
import Foundation
import Testing

/// A name server for one test, and processes that use only this one.
final class NameServer: Sendable {
    /// One at a time, because its port cannot be chosen.
    private static let address = "127.53.53.53"

    private let scratch: Scratch
    private let process: ChildProcess

    /// - Parameter answer: the server's answer; see `Clients/name_server.py`.
    init(_ answer: String) async throws {
        scratch = try Scratch()
        try scratch.write("nameserver \(Self.address)\noptions timeout:1 attempts:1\n", to: "resolv.conf")
        try scratch.write("hosts: files dns\n", to: "nsswitch.conf")
        // Otherwise the C library would sort another address before the first. The other lines are the defaults.
        try scratch.write(
            """
            precedence ::ffff:127.0.0.2/128 100
            precedence ::1/128 50
            precedence ::/0 40
            precedence ::ffff:0:0/96 10

            """, to: "gai.conf")
        try scratch.write(answer, to: "answer")
        process = try ChildProcess(
            [
                "/usr/bin/python3", "-B", "\(Laboratory.root)/Tests/IntegrationTests/Clients/name_server.py",
                Self.address, scratch.path("answer"), scratch.path("questions"),
            ], output: "/dev/null", error: scratch.path("error"))
        let log = scratch.path("questions")
        #expect(await eventually { FileManager.default.fileExists(atPath: log) })
    }

    deinit { process.signal(SIGKILL) }

    /// Changes the answer from now on.
    func say(_ answer: String) throws { try scratch.write(answer, to: "answer") }

    /// Whether it is asked this many more times.
    func isAsked(_ times: Int) async -> Bool {
        let before = questions
        return await eventually { self.questions >= before + times }
    }

    private var questions: Int { scratch.text("questions").count { $0 == "\n" } }

    /// A prefix that runs the asking process in a mount namespace with another `/etc/resolv.conf`; only root may
    /// create one. There, 127.0.0.2 sorts before other addresses.
    var prefix: [String] {
        let mounts = ["resolv.conf", "nsswitch.conf", "gai.conf"].map { "mount --bind \(scratch.path($0)) /etc/\($0)" }
        return ["unshare", "--mount", "bash", "-c", "\(mounts.joined(separator: " && ")) && exec \"$@\"", "bash"]
    }
}
