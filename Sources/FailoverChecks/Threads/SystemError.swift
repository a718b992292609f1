import FailoverCore
import Glibc

/// An error number of the kernel with its text, and what it means for a ping.
struct SystemError: Error, Equatable, CustomStringConvertible {
    let number: Int32

    init(_ number: Int32) { self.number = number }

    /// The error of the system call that just failed on this thread.
    static var last: SystemError { SystemError(errno) }

    var description: String { strerror(number).map { String(cString: $0) } ?? "error \(number)" }

    /// Whether the peer said what it should not.
    var isProtocolError: Bool { number == EPROTO }

    /// What a failed attempt to connect or to talk means; `nil` when it is no error of the network.
    func reason(at stage: PingFailure.Stage) -> PingFailure.Reason? {
        switch number {
        case ECONNREFUSED, ENOENT: .refused
        case ENETUNREACH, EHOSTUNREACH, ENETDOWN, EHOSTDOWN, EADDRNOTAVAIL, EAFNOSUPPORT, EPERM: .unreachable
        case ETIMEDOUT, EAGAIN: .timeout(stage)
        case ECONNRESET, EPIPE, ECONNABORTED, ENOTCONN: .disconnected
        case EMFILE, ENFILE, ENOMEM, ENOBUFS, EACCES, ENOTSOCK, ENAMETOOLONG: .local
        default: nil
        }
    }

    /// The error numbers that C libraries only mention as text.
    static let named: [SystemError] = [
        ECONNREFUSED, ENOENT, ENETUNREACH, EHOSTUNREACH, ENETDOWN, EHOSTDOWN, EADDRNOTAVAIL, EAFNOSUPPORT, ETIMEDOUT,
        ECONNRESET, EPIPE, ECONNABORTED, EMFILE, ENFILE, ENOMEM, ENOBUFS, EACCES,
    ].map { SystemError($0) }

    /// The error whose text is part of `text`.
    static func mentioned(in text: String) -> SystemError? {
        named.first { text.contains($0.description) }
    }
}
