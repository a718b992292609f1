import CLinux
import Glibc

/// posix_spawn(3) with the attributes that every command needs.
enum Spawn {
    /// Starts a command in a process group of its own, with no signal blocked or ignored, and with only the first
    /// three descriptors.
    ///
    /// - Parameters:
    ///   - input: becomes its standard input.
    ///   - output: becomes its standard output and standard error.
    static func start(_ command: Command, input: Int32, output: Int32) throws(SystemError) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, output, 2)
        clinux_spawn_close_from(&actions, 3)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
        posix_spawnattr_setflags(&attributes, Int16(flags))
        posix_spawnattr_setpgroup(&attributes, 0)
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)

        var arguments: [UnsafeMutablePointer<CChar>?] = command.words.map { strdup($0) } + [nil]
        var variables: [UnsafeMutablePointer<CChar>?] =
            environment(adding: command.environment).map { strdup($0) } + [nil]
        defer { for text in arguments + variables { free(text) } }
        guard let program = arguments[0] else { throw SystemError(EINVAL) }
        var process: pid_t = 0
        let code = posix_spawn(&process, program, &actions, &attributes, &arguments, &variables)
        guard code == 0 else { throw SystemError(code) }
        return process
    }

    /// The variables of this process without secrets, and the added ones, as `NAME=VALUE`.
    private static func environment(adding added: [String: String]) -> [String] {
        let inherited = Environment.forChildren.filter { added[$0.name] == nil }
        return inherited.map { "\($0.name)=\($0.value)" } + added.map { "\($0)=\($1)" }
    }
}

/// Both ends of a pipe. Child processes do not inherit them. They are closed when the value goes out of scope.
struct Pipe: ~Copyable {
    private(set) var reading: Int32
    private(set) var writing: Int32

    init() throws(SystemError) {
        var ends: [Int32] = [-1, -1]
        guard clinux_pipe(&ends) == 0 else { throw SystemError.last(of: "pipe") }
        reading = ends[0]
        writing = ends[1]
    }

    deinit { for end in [reading, writing] where end >= 0 { close(end) } }

    mutating func closeReading() {
        if reading >= 0 { close(reading) }
        reading = -1
    }

    mutating func closeWriting() {
        if writing >= 0 { close(writing) }
        writing = -1
    }

    /// Makes the open ends non-blocking.
    func doNotBlock() {
        for end in [reading, writing] where end >= 0 { _ = fcntl(end, F_SETFL, fcntl(end, F_GETFL) | O_NONBLOCK) }
    }
}
