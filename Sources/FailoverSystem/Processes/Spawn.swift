import CLinux
import Glibc

/// posix_spawn(3) with what every command here needs.
enum Spawn {
    /// Starts a command: in a process group of its own, no signal blocked or ignored, no descriptor but the first three.
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

    /// This process's variables, but for secrets, with others added, as `NAME=VALUE`.
    private static func environment(adding added: [String: String]) -> [String] {
        let inherited = Environment.forChildren.filter { added[$0.name] == nil }
        return inherited.map { "\($0.name)=\($0.value)" } + added.map { "\($0)=\($1)" }
    }
}
