import FailoverCore

/// MySQL's server speaks first: a greeting is proof. An error packet in its place, a close or silence is not.
struct MySQLOpening {
    /// What the present backend has said.
    private var heard: [UInt8] = []

    mutating func connected() -> Opening.Step {
        heard = []
        return .awaitBackend(sending: [])
    }

    mutating func backendSent(_ bytes: [UInt8]) -> Opening.Step {
        heard += bytes
        return switch heard.withUnsafeBytes(MySQLFirstPacket.init) {
        case .incomplete: .awaitBackend(sending: [])
        case .greeting: .proven(heard)
        case .error(let code, let message): .failed(.refused(Self.kind(of: code), "\(code): \(message)"))
        case .garbage: .failed(.garbage("no greeting of a MySQL server"))
        }
    }

    /// What an error before the greeting says of the server; error codes of the MySQL and MariaDB manuals.
    private static func kind(of code: UInt16) -> BackendErrorKind {
        switch code {
        case _ where MySQLReader.isForLackOfRoom(code): .tooManyConnections
        case 1129, 1130: .hostBlocked
        case 1053: .serverShutdown
        default: .earlyClose
        }
    }
}
