import FailoverCore
import FailoverSystem

/// Pings a database server whose password is in a file. If the server does not accept the password, the file is read
/// again. If the password has changed, it is tried at once.
final class RotatedPasswordDriver: PingDriver {
    private let file: String
    private let server: Lock<DatabaseServer>
    private let makeDriver: @Sendable (DatabaseServer) -> any PingDriver

    /// The maximum size in bytes, as in the configuration.
    private static let largestFile = 64 * 1024

    init(file: String, server: DatabaseServer, makeDriver: @escaping @Sendable (DatabaseServer) -> any PingDriver) {
        self.file = file
        self.server = Lock(server)
        self.makeDriver = makeDriver
    }

    func ping(_ attempt: PingAttempt) throws(PingFailure) -> ServerAnswer {
        var server = server.withLock { $0 }
        do {
            return try makeDriver(server).ping(attempt.hiding(server.password))
        } catch {
            guard error.reason == .authentication, let password = newPassword, password != server.password else {
                throw error
            }
            server.password = password
        }
        self.server.withLock { [password = server.password] in $0.password = password }
        attempt.reached(.connecting)
        return try makeDriver(server).ping(attempt.hiding(server.password))
    }

    /// The file's content without its last newline, as the configuration reads it.
    private var newPassword: Secret? {
        guard var text = try? SmallFile(path: file, maximumSize: Self.largestFile).text else { return nil }
        if text.last?.isNewline == true { text.removeLast() }
        return text.isEmpty || text.utf8.contains(0) ? nil : Secret(text)
    }
}
